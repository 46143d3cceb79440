#include "diagnosis.h"

/* Without debugging data, since Valgrind 3.19 gives up on what clang writes about these. */
#define CDG_PLAIN __attribute__((nodebug))

CDG_PLAIN cdg_module cdg_modules[CDG_MODULES];
CDG_PLAIN int cdg_module_count;
CDG_PLAIN int cdg_noting;

CDG_PLAIN struct sigaction cdg_previous[2];
CDG_PLAIN int cdg_is_set_up[2];
CDG_PLAIN cdg_reporter cdg_current_reporter;
CDG_PLAIN __thread volatile int cdg_is_reporting;
