using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// A QUIC connection without sockets, clock or threads: datagrams and time go in, datagrams, events and the time of
/// the next call come out. One thread at a time; the owner's gate sees to that.
/// </summary>
/// <remarks>
/// After any call the owner builds datagrams until there are none, sends them outside the gate, and calls
/// <see cref="HandleTimeout"/> when <see cref="NextTimeout"/> has come. Times are microseconds of a monotonic clock.
/// </remarks>
internal sealed class ConnectionCore : IDisposable
{
    private ConnectionCore()
    {
    }

    /// <summary>When <see cref="HandleTimeout"/> wants to be called; <see cref="long.MaxValue"/> for never.</summary>
    public long NextTimeout { get; private set; } = long.MaxValue;

    public ConnectionPhase Phase { get; private set; }

    public static ConnectionCore CreateClient(ConnectionSetup setup, long now) => throw new NotSupportedException();

    public static ConnectionCore CreateServer(ConnectionSetup setup, in ServerArrival arrival, long now) =>
        throw new NotSupportedException();

    /// <summary>Takes in one UDP datagram; it is decrypted in place and not needed afterwards.</summary>
    public void ReceiveDatagram(Span<byte> datagram, in DatagramMetadata metadata, long now) =>
        throw new NotSupportedException();

    /// <summary>
    /// Builds what is to be sent now into <paramref name="buffer"/>: datagrams of equal size (the last may be shorter)
    /// for one destination. Returns the bytes built; 0 when there is nothing to send at this moment. Call again
    /// until then.
    /// </summary>
    public int BuildDatagrams(Span<byte> buffer, long now, out OutgoingDatagrams batch) =>
        throw new NotSupportedException();

    public void HandleTimeout(long now) => throw new NotSupportedException();

    /// <summary>Server: answers <see cref="IConnectionEvents.OnClientHello"/>.</summary>
    public void ProvideServerOptions(TlsServerOptions options, long now) => throw new NotSupportedException();

    /// <summary>Server: turns the client away, with CONNECTION_REFUSED.</summary>
    public void Refuse(long now) => throw new NotSupportedException();

    /// <summary>Answers <see cref="IConnectionEvents.OnCertificateToValidate"/>.</summary>
    public void CompleteCertificateValidation(in CertificateValidationResult result, long now) =>
        throw new NotSupportedException();

    /// <summary>Closes with a code of the application; what is unsent or unacknowledged is given up.</summary>
    public void Close(ulong applicationErrorCode, string reason, long now) => throw new NotSupportedException();

    /// <summary>Server: gives the client a token for its next connection (RFC 9000 section 8.1.3).</summary>
    public void SendNewToken(ReadOnlySpan<byte> token) => throw new NotSupportedException();

    /// <summary>
    /// Client: validates a path from another local address and, if it works, moves to it (RFC 9000 section 9.2). False
    /// when that is not possible now: no spare connection id, the server forbids it, or the handshake is not confirmed.
    /// </summary>
    public bool TryMigrate(in NetworkAddress local, long now) => throw new NotSupportedException();

    /// <summary>Asks the peer for a sign of life.</summary>
    public void Ping(long now) => throw new NotSupportedException();

    /// <summary>Changes the 1-RTT keys (RFC 9001 section 6); false when the last change is not confirmed yet.</summary>
    public bool TryUpdateKeys(long now) => throw new NotSupportedException();

    /// <summary>Keying material for the application (RFC 8446 section 7.5), once the handshake is complete.</summary>
    public void ExportKeyingMaterial(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output) =>
        throw new NotSupportedException();

    public ConnectionStatistics GetStatistics() => throw new NotSupportedException();

    /// <summary>Fills in what is known of each path; returns how many there are.</summary>
    public int GetPaths(Span<PathStatistics> paths) => throw new NotSupportedException();

    /// <summary>Gives everything back at once, without a word to the peer.</summary>
    public void Dispose()
    {
    }
}
