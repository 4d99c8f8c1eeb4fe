"""What stands for a real program where none is: 64 MiB that are always others, for ever.

Mapped by itself: what Python allocates comes to lie in memory that glibc has kept, and then it asks the kernel for
nothing any more, so that who attaches sees no event.
"""

import collections
import mmap
import time

held = collections.deque(maxlen=64)
while True:
    held.append(mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    time.sleep(0.005)
