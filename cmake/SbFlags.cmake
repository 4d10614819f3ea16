# Compiler and linker flags of every target: language, warnings, hardening, sanitizers.
# SPDX-License-Identifier: Apache-2.0
include(CheckCCompilerFlag)

add_compile_definitions(_GNU_SOURCE)
include_directories(${CMAKE_SOURCE_DIR}/src)

# Warnings that found real mistakes and leave good code alone.
add_compile_options(-Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wwrite-strings -Wimplicit-fallthrough)
if(SB_WERROR)
    add_compile_options(-Werror)
endif()

# A loop over packets must not assume that signed sums never wrap, nor that two
# pointers of different types never meet: both have turned checks into nothing.
add_compile_options(-fno-strict-aliasing -fno-common)

# Hardening (checked on the finished program by tests/hardening/check).
if(SB_HARDEN)
    add_compile_options(-fPIE -fstack-protector-strong)
    add_link_options(-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|i.86|AMD64")
        check_c_compiler_flag(-fcf-protection=full SB_HAS_CET)
        if(SB_HAS_CET)
            add_compile_options(-fcf-protection=full)
        endif()
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
        check_c_compiler_flag(-mbranch-protection=standard SB_HAS_BTI)
        if(SB_HAS_BTI)
            add_compile_options(-mbranch-protection=standard)
        endif()
    endif()
else()
    add_compile_options(-fno-pie -fno-stack-protector -fcf-protection=none)
    add_link_options(-no-pie -Wl,-z,norelro -Wl,-z,lazy)
endif()

if(SB_SANITIZE)
    # The sanitizers check more than FORTIFY does and the two hide each other's reports.
    add_compile_options(-fsanitize=${SB_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SB_SANITIZE})
elseif(SB_HARDEN AND NOT SB_COVERAGE)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(SB_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
    add_compile_definitions(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION=1)
endif()
if(SB_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
if(SB_LTO)
    add_compile_options(-flto=auto -ffat-lto-objects)
    add_link_options(-flto=auto)
endif()
