#!/usr/bin/env bash
# Writes the rows of sweep.c: one for each function that pagealloc.h declares, with the parameters
# that it has there. A parameter's name and type say which values it is met with, so that sweep.c
# does not compile where the header has a function or a parameter that it does not know.
#
#   sweep-rows.sh HEADER >sweep-rows.h
#
# For pa_status pa_free(pa_arena *arena, void *first, size_t pages):
#
#   static pa_status call_pa_free(arguments *a) { return pa_free(a->arena, a->first, a->pages); }
#   ROW(pa_free, &arena_values, &first_values, &pages_values)
set -euo pipefail

# Declarations, one a line, without comments.
sed -E 's|/\*.*\*/||; /\/\*/,/\*\//d' "$1" |
  awk '/^PA_API / { on = 1; text = "" } on { text = text " " $0 }
    on && /;/ { sub(/^ *PA_API /, "", text); print text; on = 0 }' |
  awk '
    # The member of `arguments` that a parameter is: handles and addresses by their names; where a
    # result goes, name_at; what has 64 bits on every host, name64.
    function member(parameter,   name, type) {
      name = parameter
      sub(/.*[ *]/, "", name)
      type = substr(parameter, 1, length(parameter) - length(name))
      gsub(/const |^ +| +$/, "", type)
      if (type ~ /^(void|char|pa_arena|pa_cache|pa_region|pa_pool) \*$/) return name
      if (type ~ /\*/) return name "_at"
      return type == "uint64_t" ? name "64" : name
    }
    {
      gsub(/[ ;]+$/, "")
      open = index($0, "(")
      name = substr($0, 1, open - 1)
      list = substr($0, open + 1, length($0) - open - 1)
      sub(/.*[ *]/, "", name)
      result = substr($0, 1, index($0, name "(") - 1)
      gsub(/^ +| +$/, "", result)
      gsub(/  +/, " ", list)
      passed = values = ""
      count = list == "void" ? 0 : split(list, parameters, /, */)
      for (i = 1; i <= count; i++) {
        field = member(parameters[i])
        passed = passed (i > 1 ? ", " : "") "a->" field
        values = values ", &" field "_values"
      }
      call = name "(" passed ")"
      printf "static pa_status call_%s(arguments *a) {\n  (void)a;\n", name
      if (result == "pa_status") printf "  return %s;\n}\n", call
      else if (result == "void") printf "  %s;\n  return PA_OK;\n}\n", call
      else if (result == "void *" && passed ~ /status_at/)
        printf "  return took(a, %s);\n}\n", call
      else printf "  return got(a, (uintptr_t)%s);\n}\n", call
      rows = rows "  ROW(" name values ", NULL)\n"
    }
    END { printf "static const row rows[] = {\n%s};\n", rows }'
