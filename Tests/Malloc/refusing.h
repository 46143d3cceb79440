/// From now on this thread and all others may not call malloc and the like, or may again.
void refuse_malloc(int is_refused);
/// How often malloc and the like were called where they might not be.
long refused_calls(void);
/// How many of the ways to allocate go by uncounted.
int untold_ways(void);
/// How many threads were started since the program began.
long started_threads(void);
