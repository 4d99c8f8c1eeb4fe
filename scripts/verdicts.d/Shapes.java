import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JVM at work, in the shapes that memory's course has: leaks, and what only looks like one. A mode goes on until
 * somebody ends it. What an expert calls each, and why, stands in cases.py.
 *
 * <p>Usage: java Shapes MODE
 */
public final class Shapes {
    private static final List<Object> KEPT = new ArrayList<>();

    public static void main(String[] arguments) throws InterruptedException {
        Map<Integer, byte[]> cache = new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Integer, byte[]> eldest) {
                return size() > 400;
            }
        };
        for (int n = 0; ; n++) {
            switch (arguments[0]) {
                case "kept_bytes" -> KEPT.add(new byte[200_000]);
                case "kept_direct" -> {
                    ByteBuffer buffer = ByteBuffer.allocateDirect(200_000);
                    for (int at = 0; at < buffer.capacity(); at += 4096) {
                        buffer.put(at, (byte) 1);
                    }
                    KEPT.add(buffer);
                }
                case "kept_threads" -> {
                    Thread thread = new Thread(() -> {
                        try {
                            Thread.sleep(Long.MAX_VALUE);
                        } catch (InterruptedException ended) {
                            return;
                        }
                    });
                    thread.setDaemon(true);
                    thread.start();
                    KEPT.add(thread);
                }
                case "idle" -> Thread.sleep(1000);
                case "garbage" -> {
                    List<byte[]> garbage = new ArrayList<>();
                    for (int m = 0; m < 20; m++) {
                        garbage.add(new byte[100_000]);
                    }
                }
                case "full_cache" -> {
                    for (int m = 0; m < 6; m++) {
                        cache.put(n * 6 + m, new byte[100_000]);
                    }
                }
                default -> throw new IllegalArgumentException(arguments[0]);
            }
            Thread.sleep(20);
        }
    }
}
