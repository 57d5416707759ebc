package io.sluice.storage;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A web server on loopback, on bare sockets, so that a test decides about every byte and when the connection breaks. */
final class TestHttpServer implements AutoCloseable {

    /** Answers one request; may break or stall the connection. */
    interface Handler {
        void handle(Request request, Response response) throws IOException, InterruptedException;
    }

    private final ServerSocket server;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger accepted = new AtomicInteger();
    private volatile Handler handler;

    TestHttpServer(Handler handler) throws IOException {
        this.handler = handler;
        this.server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        start("accept", this::accept);
    }

    void handler(Handler handler) {
        this.handler = handler;
    }

    String url() {
        return "http://127.0.0.1:" + server.getLocalPort() + "/";
    }

    /** All requests so far. */
    List<Request> requests() {
        synchronized (requests) {
            return List.copyOf(requests);
        }
    }

    /** How many connections were ever made. */
    int acceptedConnections() {
        return accepted.get();
    }

    int openConnections() {
        return connections.size();
    }

    /** Blocks until the server is closed or the client has closed the connection. */
    void stall(Response response) throws IOException {
        response.out.flush();
        if (response.in.read() < 0) {
            throw new IOException("closed by the client");
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                accepted.incrementAndGet();
                connections.add(socket);
                start("serve", () -> serve(socket));
            }
        } catch (IOException closed) {
            // by close()
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            for (Request request = read(in); request != null; request = read(in)) {
                requests.add(request);
                Response response = new Response(in, out, request);
                handler.handle(request, response);
                if (response.close) {
                    return;
                }
            }
        } catch (IOException broken) {
            // the client went away, or the handler said so
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            connections.remove(socket);
        }
    }

    private static @Nullable Request read(InputStream in) throws IOException {
        String line = line(in);
        if (line == null) {
            return null;
        }
        String[] parts = line.split(" ");
        Map<String, String> headers = new TreeMap<>();
        for (String header = line(in); header != null && !header.isEmpty(); header = line(in)) {
            int colon = header.indexOf(':');
            headers.put(
                    header.substring(0, colon).toLowerCase(Locale.ROOT),
                    header.substring(colon + 1).trim());
        }
        return new Request(parts[0], parts[1], headers);
    }

    private static @Nullable String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c = in.read(); c >= 0; c = in.read()) {
            if (c == '\n') {
                return line.toString(ISO_8859_1).replace("\r", "");
            }
            line.write(c);
        }
        return null;
    }

    private static void start(String name, Runnable action) {
        Thread thread = new Thread(action, "test-http-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : connections) {
            socket.close();
        }
    }

    record Request(String method, String target, Map<String, String> headers) {

        @Nullable
        String header(String name) {
            return headers.get(name);
        }

        /** First byte of a {@code Range}, 0 if there is none. */
        int from(int size) {
            String range = header("range");
            return range == null ? 0 : (int) Math.min(size, Long.parseLong(range.substring(6, range.indexOf('-'))));
        }

        /** Behind the last byte of a {@code Range}, the size if there is none. */
        int to(int size) {
            String range = header("range");
            String last = range == null ? "" : range.substring(range.indexOf('-') + 1);
            return last.isEmpty() ? size : (int) Math.min(size, Long.parseLong(last) + 1);
        }
    }

    static final class Response {

        final OutputStream out;
        private final InputStream in;
        private final Request request;
        private final Map<String, String> headers = new LinkedHashMap<>();
        private boolean close;

        Response(InputStream in, OutputStream out, Request request) {
            this.in = in;
            this.out = out;
            this.request = request;
        }

        Response header(String name, String value) {
            headers.put(name, value);
            return this;
        }

        /** Writes the head. */
        Response head(int status, long length) throws IOException {
            StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " Status\r\n");
            headers.forEach((name, value) ->
                    head.append(name).append(": ").append(value).append("\r\n"));
            if (length >= 0) {
                head.append("Content-Length: ").append(length).append("\r\n");
            }
            out.write(head.append("\r\n").toString().getBytes(UTF_8));
            out.flush();
            return this;
        }

        /** An answer without content. */
        void status(int status) throws IOException {
            head(status, 0);
        }

        void body(byte[] bytes, int from, int to) throws IOException {
            if (!request.method.equals("HEAD")) {
                out.write(bytes, from, to - from);
            }
            out.flush();
        }

        void chunk(byte[] bytes) throws IOException {
            out.write((Integer.toHexString(bytes.length) + "\r\n").getBytes(UTF_8));
            out.write(bytes);
            out.write("\r\n".getBytes(UTF_8));
            out.flush();
        }

        /** Ends the connection after this answer, whole or not. */
        void close() {
            close = true;
        }
    }

    /** An object as a good server gives it, and the switches to make it a worse one. */
    static final class Resource implements Handler {

        final byte[] content;
        volatile @Nullable String etag;
        volatile @Nullable String lastModified;
        volatile boolean ranges = true;
        volatile boolean checksIfMatch = true;

        Resource(byte[] content, @Nullable String etag) {
            this.content = content;
            this.etag = etag;
        }

        @Override
        public void handle(Request request, Response response) throws IOException {
            int[] span = head(request, response);
            response.body(content, span[0], span[1]);
        }

        /** Writes the head; gives the bytes to follow. */
        int[] head(Request request, Response response) throws IOException {
            String ifMatch = request.header("if-match");
            if (etag != null) {
                response.header("ETag", etag);
            }
            if (lastModified != null) {
                response.header("Last-Modified", lastModified);
            }
            if (checksIfMatch && ifMatch != null && !ifMatch.equals(etag)) {
                response.status(412);
                return new int[2];
            }
            if (!ranges || request.header("range") == null) {
                response.head(200, content.length);
                return new int[] {0, content.length};
            }
            int from = request.from(content.length);
            int to = request.to(content.length);
            if (from >= content.length) {
                response.header("Content-Range", "bytes */" + content.length).status(416);
                return new int[2];
            }
            response.header("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + content.length)
                    .head(206, to - from);
            return new int[] {from, to};
        }
    }
}
