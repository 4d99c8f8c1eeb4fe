import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A JVM at work: objects on a heap that grows and is given back, threads that come and go, buffers
 * outside of the heap, mapped files.
 *
 * <p>Usage: java Churn SECONDS FOLDER
 */
public final class Churn {
    private static final AtomicLong SUM = new AtomicLong();

    public static void main(String[] arguments) throws Exception {
        long deadline = System.nanoTime() + Long.parseLong(arguments[0]) * 1_000_000_000L;
        Path folder = Path.of(arguments[1]);
        for (int round = 0; System.nanoTime() < deadline; round++) {
            List<Thread> threads = new ArrayList<>();
            for (int number = 0; number < 6; number++) {
                int seed = round * 6 + number;
                Thread thread = new Thread(() -> allocate(seed));
                thread.start();
                threads.add(thread);
            }
            map(folder.resolve("file-" + round), round);
            for (Thread thread : threads) {
                thread.join();
            }
            if (round % 4 == 3) {
                System.gc();
            }
        }
        System.out.println(SUM.get());
    }

    private static void allocate(int seed) {
        List<ByteBuffer> direct = new ArrayList<>();
        Map<String, byte[]> held = new HashMap<>();
        for (int n = 0; n < 3000; n++) {
            held.put("key" + n % 500, new byte[(n * 31 + seed) % 20_000]);
            if (n % 100 == 0) {
                direct.add(ByteBuffer.allocateDirect((n + 1) * 512));
            }
        }
        SUM.addAndGet(held.size() + direct.size());
    }

    private static void map(Path path, int round) throws Exception {
        long bytes = (round % 5 + 1) * 1_000_000L;
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            MappedByteBuffer mapped = file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, bytes);
            for (int at = 0; at < bytes; at += 4096) {
                mapped.put(at, (byte) round);
            }
            SUM.addAndGet(mapped.get(0));
        }
        Files.delete(path);
    }
}
