# How tests are declared: sb_test, sb_script_test, sb_fuzz_target. Known before the modules, so
# that a folder's own CMakeLists.txt can bring its tests.
# SPDX-License-Identifier: Apache-2.0

set(SB_TEST_DIR ${CMAKE_BINARY_DIR}/tests)

# Captures that are not part of the project, beside the tree (or where the environment says when
# the tree is configured first). Tests that want them skip when they are not there.
if(DEFINED ENV{SB_SHARED})
    set(SB_SHARED_DIR "$ENV{SB_SHARED}" CACHE PATH "Captures from outside the tree")
else()
    set(SB_SHARED_DIR "${CMAKE_SOURCE_DIR}/../shared" CACHE PATH "Captures from outside the tree")
endif()
set(SB_TEST_DEFINITIONS SB_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SB_SHARED_DIR="${SB_SHARED_DIR}")

# Sends every allocation of the program under test through the harness, which counts what
# was not freed and lets the n-th one fail.
set(SB_WRAP malloc calloc realloc reallocarray aligned_alloc posix_memalign strdup strndup free)
list(TRANSFORM SB_WRAP PREPEND -Wl,--wrap=)

# sb_test(name LINKS libraries... SOURCES files...): one program, registered in CTest under its
# name. TITLE is what its last line calls it, when that is not the name.
function(sb_test name)
    cmake_parse_arguments(arg "" "TITLE" "LINKS;SOURCES" ${ARGN})
    if(NOT arg_TITLE)
        set(arg_TITLE ${name})
    endif()
    add_executable(${name} ${arg_SOURCES} ${CMAKE_SOURCE_DIR}/tests/harness/test.c)
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_compile_definitions(${name} PRIVATE ${SB_TEST_DEFINITIONS} SB_TEST_NAME="${arg_TITLE}")
    target_link_libraries(${name} PRIVATE ${arg_LINKS} cmocka)
    target_link_options(${name} PRIVATE ${SB_WRAP})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${SB_TEST_DIR})
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# A script that is a test; exit code 77 means "skipped", with the reason in its output.
function(sb_script_test name)
    if(NOT SB_TESTS)
        return()
    endif()
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
endfunction()

# src/FOLDER/*_test.c -> test_FOLDER, with only the libraries that the folder may use.
# tests/harness/FOLDER_*.c are helpers of that folder's tests.
function(sb_folder_tests folder)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*_test.c)
    file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/harness/${folder}_*.c)
    if(tests AND TARGET sb_${folder})
        sb_test(test_${folder} LINKS sb_${folder} SOURCES ${tests} ${helpers})
    endif()
endfunction()

# tests/FOLDER/*_test.c -> test_FOLDER (flows, for example), with every library; further words
# name the folders whose helpers it uses, too; *_rows.c beside the tests hold their tables.
function(sb_whole_tests folder)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.c)
    file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*_rows.c)
    foreach(other IN LISTS ARGN)
        file(GLOB found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/harness/${other}_*.c)
        list(APPEND helpers ${found})
    endforeach()
    if(tests)
        sb_test(test_${folder} LINKS ${SB_MODULES} SOURCES ${tests} ${helpers})
    endif()
endfunction()

# tests/fuzz/fuzz_NAME.c: a libFuzzer program in the fuzz preset; in every other preset a
# program that replays tests/fuzz/seeds/NAME/, so each seed is a regression test for good.
function(sb_fuzz_target source)
    get_filename_component(target ${source} NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" name ${target})
    if(SB_FUZZ)
        add_executable(${target} ${source})
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${target} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.c)
        sb_script_test(replay_${name} ${SB_TEST_DIR}/${target}
            ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds/${name})
    endif()
    target_compile_definitions(${target} PRIVATE ${SB_TEST_DEFINITIONS})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(${target} PRIVATE ${SB_MODULES})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${SB_TEST_DIR})
endfunction()
