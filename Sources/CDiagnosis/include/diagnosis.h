/* CDiagnosis: what the checked mode needs of C: back-traces, the names of functions, the tools that
 * a program may run under, and the signal of a fault.
 *
 * Nothing here calls malloc, but for the names that the Swift runtime makes readable on request.
 * All functions are static inlines, and only what they share is defined in diagnosis.c: so the
 * Swift compiler compiles them, with debugging data that Valgrind 3.19 can read.
 */
#ifndef DIAGNOSIS_H
#define DIAGNOSIS_H

#include "faults.h"
#include "places.h"
#include "symbols.h"
#include "tools.h"
#include "trace.h"

#endif
