package io.sluice.s3;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP/1.1 proxy in front of a server, a thread for each connection, that does to a request what a rule says: nothing, an
 * answer of its own, a reply that is dropped, cut off or stalled. It can be slow, and take away headers.
 */
final class FaultProxy implements Closeable {

    /** A request as the rule sees it; {@code number} counts from 1 over all connections. */
    record Request(int number, String method, String target, List<String> headers) {

        @Nullable
        String header(String name) {
            String start = name.toLowerCase(Locale.ROOT) + ":";
            for (String header : headers) {
                if (header.toLowerCase(Locale.ROOT).startsWith(start)) {
                    return header.substring(start.length()).strip();
                }
            }
            return null;
        }

        boolean is(String wanted, String part) {
            return method.equals(wanted) && target.contains(part);
        }
    }

    /** What to do to a request. */
    sealed interface Fault {
        /** Nothing. */
        record None() implements Fault {}
        /** Close the connection, before or after the server has done what was asked. */
        record Drop(boolean afterwards) implements Fault {}
        /** Send so many bytes of the body and close the connection. */
        record Cut(long bodyBytes) implements Fault {}
        /** Send so many bytes of the body and then nothing, until the proxy is closed or the client gives up. */
        record Stall(long bodyBytes) implements Fault {}
        /** An answer without asking the server. */
        record Answer(int status, String headers, String body) implements Fault {}
        /** Wait until the latch opens, then go on. */
        record Hold(CountDownLatch latch) implements Fault {}
    }

    static final Fault NONE = new Fault.None();

    static Fault slowDown() {
        return new Fault.Answer(
                503, "", "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>");
    }

    private final ServerSocket listener;
    private final int serverPort;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger numbers = new AtomicInteger();
    private final AtomicInteger busy = new AtomicInteger();
    private final AtomicInteger mostBusy = new AtomicInteger();
    private volatile Function<Request, Fault> rule = request -> NONE;
    private volatile Set<String> stripped = Set.of();
    private volatile Duration latency = Duration.ZERO;
    private volatile long bytesPerSecond = Long.MAX_VALUE;
    private volatile boolean closed;

    FaultProxy(int serverPort) {
        this.serverPort = serverPort;
        try {
            listener = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    FaultProxy rule(Function<Request, Fault> newRule) {
        rule = newRule;
        return this;
    }

    /** Takes away request headers, given in lower case. */
    FaultProxy strip(String... names) {
        stripped = Set.of(names);
        return this;
    }

    /** Every answer comes that much later, and every connection is that slow. */
    FaultProxy slow(Duration answerLatency, long connectionBytesPerSecond) {
        latency = answerLatency;
        bytesPerSecond = connectionBytesPerSecond;
        return this;
    }

    List<Request> requests() {
        return List.copyOf(requests);
    }

    /** Requests whose answer is not over. */
    int busy() {
        return busy.get();
    }

    int mostBusy() {
        return mostBusy.get();
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "fault-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!closed) {
            try {
                Socket client = listener.accept();
                sockets.add(client);
                start(() -> serve(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                Upstream server = new Upstream()) {
            client.setTcpNoDelay(true);
            InputStream fromClient = new BufferedInputStream(client.getInputStream(), 1 << 16);
            boolean open = true;
            while (open) {
                List<String> head = head(fromClient);
                if (head.isEmpty()) {
                    return;
                }
                mostBusy.accumulateAndGet(busy.incrementAndGet(), Math::max);
                try {
                    open = exchange(head, fromClient, client.getOutputStream(), server);
                } finally {
                    busy.decrementAndGet();
                }
            }
        } catch (IOException clientOrServerIsGone) {
            // as it happens
        } finally {
            sockets.remove(client);
        }
    }

    /**
     * The connection to the server, made when it is needed. The test server sometimes closes one behind an answer to a PUT
     * without a word, which a client that is given such a connection would take for a fault of ours: only GETs share one.
     */
    private final class Upstream implements Closeable {

        private @Nullable Socket socket;
        private InputStream in = InputStream.nullInputStream();
        private boolean mayBeUsedAgain;

        OutputStream forNext(Request request) throws IOException {
            boolean reads = request.method.equals("GET");
            if (socket == null || !(reads && mayBeUsedAgain)) {
                close();
                Socket fresh = new Socket(InetAddress.getLoopbackAddress(), serverPort);
                socket = fresh;
                sockets.add(fresh);
                fresh.setTcpNoDelay(true);
                in = new BufferedInputStream(fresh.getInputStream(), 1 << 16);
            }
            mayBeUsedAgain = reads;
            return socket.getOutputStream();
        }

        @Override
        public void close() throws IOException {
            if (socket != null) {
                socket.close();
                sockets.remove(socket);
                socket = null;
            }
        }
    }

    private boolean exchange(List<String> head, InputStream fromClient, OutputStream toClient, Upstream server)
            throws IOException {
        String[] line = head.get(0).split(" ");
        Request request =
                new Request(numbers.incrementAndGet(), line[0], line[1], List.copyOf(head.subList(1, head.size())));
        requests.add(request);
        Fault fault = rule.apply(request);
        if (fault instanceof Fault.Drop drop && !drop.afterwards) {
            return false;
        }
        if (fault instanceof Fault.Hold hold) {
            try {
                hold.latch.await();
            } catch (InterruptedException e) {
                return false;
            }
            if (closed) {
                return false;
            }
        }
        long length = length(head);
        if (fault instanceof Fault.Answer answer) {
            copy(fromClient, OutputStream.nullOutputStream(), length, Long.MAX_VALUE);
            byte[] body = answer.body.getBytes(StandardCharsets.UTF_8);
            write(
                    toClient,
                    "HTTP/1.1 " + answer.status + " Fault\r\n" + answer.headers + "Content-Length: "
                            + (request.method.equals("HEAD") ? 0 : body.length) + "\r\n\r\n");
            toClient.write(request.method.equals("HEAD") ? new byte[0] : body);
            toClient.flush();
            return true;
        }
        StringBuilder forwarded = new StringBuilder();
        for (String header : head) {
            int colon = header.indexOf(':');
            if (colon < 0 || !stripped.contains(header.substring(0, colon).toLowerCase(Locale.ROOT))) {
                forwarded.append(header).append("\r\n");
            }
        }
        OutputStream toServer = server.forNext(request);
        write(toServer, forwarded.append("\r\n").toString());
        copy(fromClient, toServer, length, Long.MAX_VALUE);
        toServer.flush();
        return answer(request, fault, server.in, toClient);
    }

    private boolean answer(Request request, Fault fault, InputStream fromServer, OutputStream toClient)
            throws IOException {
        List<String> head = head(fromServer);
        if (head.isEmpty()) {
            throw new EOFException();
        }
        while (head.get(0).contains(" 100 ")) {
            head = head(fromServer);
        }
        boolean empty = request.method.equals("HEAD")
                || head.get(0).contains(" 204 ")
                || head.get(0).contains(" 304 ");
        long length = empty ? 0 : length(head);
        LockSupport.parkNanos(latency.toNanos());
        if (fault instanceof Fault.Drop) {
            return false;
        }
        write(toClient, String.join("\r\n", head) + "\r\n\r\n");
        long limit = fault instanceof Fault.Cut cut
                ? cut.bodyBytes
                : fault instanceof Fault.Stall stall ? stall.bodyBytes : Long.MAX_VALUE;
        if (limit < length) {
            copy(fromServer, toClient, limit, bytesPerSecond);
            toClient.flush();
            if (fault instanceof Fault.Stall) {
                while (!closed && !Thread.currentThread().isInterrupted()) {
                    LockSupport.parkNanos(10_000_000);
                }
            }
            return false;
        }
        copy(fromServer, toClient, length, bytesPerSecond);
        toClient.flush();
        return head.stream().noneMatch(header -> header.equalsIgnoreCase("Connection: close"));
    }

    /** The lines of a head; none at the end of the stream. */
    private static List<String> head(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        while (true) {
            int b = in.read();
            if (b < 0) {
                if (lines.isEmpty() && line.isEmpty()) {
                    return lines;
                }
                throw new EOFException();
            }
            if (b == '\n') {
                if (line.isEmpty()) {
                    return lines;
                }
                lines.add(line.toString());
                line.setLength(0);
            } else if (b != '\r') {
                line.append((char) b);
            }
        }
    }

    /** The length of a body; -1 stands for chunked. */
    private static long length(List<String> head) {
        for (String header : head) {
            String lower = header.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                return Long.parseLong(lower.substring(15).strip());
            }
            if (lower.startsWith("transfer-encoding:") && lower.contains("chunked")) {
                return -1;
            }
        }
        return 0;
    }

    private static void copy(InputStream in, OutputStream out, long length, long bytesPerSecond) throws IOException {
        if (length == -1) {
            copyChunked(in, out);
            return;
        }
        byte[] buffer = new byte[1 << 16];
        long began = System.nanoTime();
        long done = 0;
        while (done < length) {
            int n = in.read(buffer, 0, (int) Math.min(buffer.length, length - done));
            if (n < 0) {
                throw new EOFException();
            }
            out.write(buffer, 0, n);
            done += n;
            if (bytesPerSecond != Long.MAX_VALUE) {
                long due = began + (long) (done * 1e9 / bytesPerSecond);
                LockSupport.parkNanos(due - System.nanoTime());
            }
        }
    }

    private static void copyChunked(InputStream in, OutputStream out) throws IOException {
        while (true) {
            StringBuilder line = new StringBuilder();
            for (int b = in.read(); b != '\n'; b = in.read()) {
                if (b < 0) {
                    throw new EOFException();
                }
                line.append((char) b);
            }
            write(out, line + "\n");
            String size = line.toString().strip();
            if (size.isEmpty()) {
                continue;
            }
            long length = Long.parseLong(size.split(";")[0], 16);
            copy(in, out, length + 2, Long.MAX_VALUE);
            if (length == 0) {
                return;
            }
        }
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Override
    public void close() {
        closed = true;
        try {
            listener.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
