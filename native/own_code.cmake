# Fails where an object of kernels holds a function that is not in its own namespace (`cmake -D NM=… -D OBJECT=… -D ISA=v4
# -P own_code.cmake`). Such a function is an inline one of a header: the linker keeps one copy of it for the whole module,
# and that may be the one made of instructions which an older processor does not have.
execute_process(COMMAND "${NM}" -g --defined-only "${OBJECT}" OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(LENGTH "${ISA}" length)
string(REGEX MATCHALL " [TWi] [^\n]+" functions "${listing}")
list(FILTER functions EXCLUDE REGEX "${length}${ISA}")
if(functions)
  list(JOIN functions "\n" names)
  message(FATAL_ERROR "kernels_${ISA}: these functions may be linked in the place of others; make them always inlined, "
                      "or members of namespace chainrule::${ISA}:\n${names}")
endif()
