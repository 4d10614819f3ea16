# What `make install` puts in place: program, man page, a sample configuration, a unit for systemd, shell completions.
# SPDX-License-Identifier: Apache-2.0
function(sb_install)
    if(TARGET signalbox)
        install(TARGETS signalbox RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
    file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.1)
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

    install(FILES ${CMAKE_SOURCE_DIR}/data/serve/signalbox.ini OPTIONAL
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
    install(FILES ${CMAKE_SOURCE_DIR}/data/serve/signalbox.service OPTIONAL DESTINATION lib/systemd/system)

    set(from ${CMAKE_SOURCE_DIR}/data/completions)
    set(share ${CMAKE_INSTALL_DATADIR})
    install(FILES ${from}/signalbox.bash OPTIONAL
        DESTINATION ${share}/bash-completion/completions RENAME signalbox)
    install(FILES ${from}/_signalbox OPTIONAL DESTINATION ${share}/zsh/site-functions)
    install(FILES ${from}/signalbox.fish OPTIONAL DESTINATION ${share}/fish/vendor_completions.d)
endfunction()
