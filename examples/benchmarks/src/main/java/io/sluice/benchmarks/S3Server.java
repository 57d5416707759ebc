package io.sluice.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/**
 * An S3 server on a directory, in a JVM of its own, with a second port behind which it is far away: every answer comes 30 ms
 * later, and no connection gives more than 40 MiB/s. Prints its two ports and ends with its standard input.
 */
final class S3Server {

    private static final long LATENCY_NANOS = 30_000_000;
    private static final double BYTES_PER_SECOND = 40 << 20;

    private S3Server() {}

    public static void main(String[] args) throws Exception {
        S3Proxy server = S3Proxy.builder()
                .blobStore(new FilesystemNio2BlobStore(args[0]))
                .awsAuthentication(AuthenticationType.NONE, null, null)
                .endpoint(URI.create("http://127.0.0.1:0"))
                .ignoreUnknownHeaders(true)
                .stopTimeout(0)
                .build();
        server.start();
        ServerSocket far = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
        start(() -> accept(far, server.getPort()));
        System.out.println("PORTS " + server.getPort() + " " + far.getLocalPort());
        while (System.in.read() >= 0) {
            // until whoever started this is gone
        }
        System.exit(0);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "far");
        thread.setDaemon(true);
        thread.start();
    }

    private static void accept(ServerSocket far, int port) {
        while (true) {
            try {
                Socket client = far.accept();
                Socket server = new Socket(InetAddress.getLoopbackAddress(), port);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                AtomicBoolean asked = new AtomicBoolean();
                start(() -> relay(client, server, asked, false));
                start(() -> relay(server, client, asked, true));
            } catch (IOException e) {
                return;
            }
        }
    }

    /** What follows a question is an answer, and comes late. */
    private static void relay(Socket from, Socket to, AtomicBoolean asked, boolean answers) {
        byte[] buffer = new byte[64 << 10];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            double due = 0;
            for (int n; (n = in.read(buffer)) >= 0; ) {
                long now = System.nanoTime();
                if (!answers) {
                    asked.set(true);
                } else if (asked.getAndSet(false)) {
                    due = now + LATENCY_NANOS;
                }
                due = Math.max(due, now - 1e6) + n * 1e9 / BYTES_PER_SECOND;
                for (long left; (left = (long) due - System.nanoTime()) > 0; ) {
                    LockSupport.parkNanos(left);
                }
                out.write(buffer, 0, n);
            }
        } catch (IOException gone) {
            // as it happens
        }
    }
}
