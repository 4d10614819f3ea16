# What bench/ needs of the build. In a build without tests: cmake --build build --target call_bench
# SPDX-License-Identifier: Apache-2.0

if(TARGET sb_lab AND NOT SB_FUZZ)
    add_executable(call_bench ${CMAKE_SOURCE_DIR}/bench/call_bench.c)
    target_link_libraries(call_bench PRIVATE sb_lab)
    set_target_properties(call_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    if(NOT SB_TESTS)
        set_target_properties(call_bench PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endif()
