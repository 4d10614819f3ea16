# All tests: one cmocka program per folder, whole-program tests, fuzz targets.
# SPDX-License-Identifier: Apache-2.0

file(GLOB sb_fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
foreach(sb_each IN LISTS sb_fuzzers)
    sb_fuzz_target(${sb_each})
endforeach()

if(SB_TESTS)
    foreach(sb_each IN LISTS SB_FOLDERS)
        sb_folder_tests(${sb_each})
    endforeach()
    sb_test(test_harness SOURCES ${CMAKE_SOURCE_DIR}/tests/harness/harness_test.c)
    sb_test(harness_wrong TITLE "of tests meant to fail" SOURCES
        ${CMAKE_SOURCE_DIR}/tests/harness/wrong.c)
    set_tests_properties(harness_wrong PROPERTIES
        PASS_REGULAR_EXPRESSION "# of tests meant to fail: 1 passed, 8 failed, 1 skipped")
    sb_whole_tests(flows track)
    sb_whole_tests(causes track causes)
    sb_whole_tests(torture)

    # A million calls; a sanitizer takes twenty times as long for each.
    add_executable(simulator ${CMAKE_SOURCE_DIR}/tests/simulator/simulator.c
        ${CMAKE_SOURCE_DIR}/tests/simulator/judge.c ${CMAKE_SOURCE_DIR}/tests/simulator/seen.c
        ${CMAKE_SOURCE_DIR}/tests/simulator/relay.c)
    target_include_directories(simulator PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(simulator PRIVATE sb_lab)
    set_target_properties(simulator PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${SB_TEST_DIR})
    set(sb_rounds 100)
    if(SB_SANITIZE OR SB_COVERAGE)
        set(sb_rounds 3)
    endif()
    sb_script_test(simulator $<TARGET_FILE:simulator> --calls 10000 --rounds ${sb_rounds})
    set_tests_properties(simulator PROPERTIES TIMEOUT 1800)

    # What a call may cost in memory is a size, not a time: it can be a test.
    if(NOT SB_SANITIZE)
        # The 200 of a VoLTE call's UPDATE has a body that has to be kept for its repeats.
        sb_script_test(call_size_basic $<TARGET_FILE:call_bench> basic 2000 --memory --most 2500 300)
        sb_script_test(call_size_volte $<TARGET_FILE:call_bench> volte 2000 --memory --most 2500 450)
    endif()

    sb_script_test(hardening_check_refuses ${CMAKE_SOURCE_DIR}/tests/hardening/check --self-test)
    if(TARGET signalbox)
        if(NOT SB_SANITIZE AND NOT SB_COVERAGE)
            sb_script_test(hardening ${CMAKE_SOURCE_DIR}/tests/hardening/check
                $<TARGET_FILE:signalbox>)
        endif()
        sb_script_test(documented_options ${CMAKE_SOURCE_DIR}/tests/docs/check-options
            $<TARGET_FILE:signalbox>)
        sb_script_test(lab ${CMAKE_SOURCE_DIR}/tests/lab/run $<TARGET_FILE:signalbox>)
        sb_script_test(program ${CMAKE_SOURCE_DIR}/tests/program/run $<TARGET_FILE:signalbox>)
        sb_script_test(masks ${CMAKE_SOURCE_DIR}/tests/masks/run $<TARGET_FILE:signalbox>)
        sb_script_test(golden ${CMAKE_SOURCE_DIR}/tests/golden/run $<TARGET_FILE:signalbox>)
        sb_script_test(page ${CMAKE_SOURCE_DIR}/tests/page/run $<TARGET_FILE:signalbox>)
        sb_script_test(samples ${CMAKE_SOURCE_DIR}/tests/samples/run $<TARGET_FILE:signalbox>)
        foreach(sb_each codes sipp hostile workers closed)
            sb_script_test(peers_${sb_each} ${CMAKE_SOURCE_DIR}/tests/peers/run $<TARGET_FILE:signalbox> ${sb_each})
        endforeach()
        sb_script_test(peers_two_workers ${CMAKE_SOURCE_DIR}/tests/peers/run $<TARGET_FILE:signalbox> --workers 2 codes sipp hostile)
        sb_script_test(program_two_workers ${CMAKE_SOURCE_DIR}/tests/program/run $<TARGET_FILE:signalbox> --workers 2)
        if(NOT SB_SANITIZE AND NOT SB_COVERAGE)
            foreach(sb_each phones proxy relay)
                sb_script_test(peers_${sb_each} ${CMAKE_SOURCE_DIR}/tests/peers/run $<TARGET_FILE:signalbox> ${sb_each})
            endforeach()
        endif()
        sb_script_test(labelled ${CMAKE_SOURCE_DIR}/tests/labelled/run $<TARGET_FILE:signalbox>)
    endif()

    sb_script_test(tests_are_counted ${CMAKE_SOURCE_DIR}/tools/run-tests --self-test)
    sb_script_test(samples_check_refuses ${CMAKE_SOURCE_DIR}/tests/samples/run --self-test)
    sb_script_test(labelled_check_refuses ${CMAKE_SOURCE_DIR}/tests/labelled/run --self-test)
    sb_script_test(labelled_as_made ${CMAKE_SOURCE_DIR}/tests/labelled/make --check)
    sb_script_test(layers ${CMAKE_SOURCE_DIR}/tools/check-layers)
    sb_script_test(layers_rule_refuses ${CMAKE_SOURCE_DIR}/tools/check-layers --self-test)
endif()
