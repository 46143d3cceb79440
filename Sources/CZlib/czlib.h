#ifndef CZLIB_H
#define CZLIB_H

#include <zlib.h>

/* `inflateInit2` is a macro, which Swift does not see: gzip framing, the largest window. */
static inline int czlib_inflate_init_gzip(z_stream *stream) {
  return inflateInit2(stream, 16 + MAX_WBITS);
}

#endif
