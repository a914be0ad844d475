using System.Net;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine;
using Post.Quic.Security;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>A connection of the managed engine behind the seam.</summary>
internal sealed partial class ManagedConnection(QuicConnection connection, ManagedEvents events, PeerVerifier verifier, string? connectedName)
    : TransportConnection
{
    private PeerIdentity? _peer;

    // Not every peer knows RESET_STREAM_AT, and what is promised and then not done would never be made good.
    public override TransportCapabilities Capabilities =>
        ManagedTransport.AllCapabilities
        & ~(connection.CanResetReliably ? TransportCapabilities.None : TransportCapabilities.ReliableReset)
        & ~(connection.IsMultipathNegotiated ? TransportCapabilities.None : TransportCapabilities.Multipath);

    public override bool IsClient => connection.IsClient;

    public override PeerIdentity Peer
    {
        get
        {
            // A server that does not take the session proves itself anew, maybe with another of the keys that are trusted.
            X509Certificate2? certificate = connection.RemoteCertificate;
            ReadOnlyMemory<byte> key = connection.RemotePublicKey?.SubjectPublicKeyInfo ?? default;
            if (_peer is not { } known || known.Certificate != certificate || !known.BareKey.Span.SequenceEqual(key.Span))
            {
                _peer = known = key.IsEmpty ? verifier.Identify(certificate, connectedName) : verifier.IdentifyKey(key);
            }

            return known;
        }
    }

    public override EndPoint? LocalEndPoint => connection.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => connection.RemoteEndPoint;

    public override bool IsHandshakeCompleted => connection.IsHandshakeComplete;

    public override bool IsResumed => connection.IsResumed;

    public override int MaxDatagramSize => connection.MaxDatagramSize;

    public override void Start(TransportEvents listener)
    {
        events.Attach(listener);
        connection.PushInboundStreams();
    }

    public override TransportStream? TryOpenStream(TransportStreamKind kind, in TransportPriority priority)
    {
        try
        {
            return connection.TryOpenOutboundStream(Translate(kind)) is { } stream ? Ranked(stream, priority) : null;
        }
        catch (QuicException exception)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }

    public override async ValueTask<TransportStream> OpenStreamAsync(
        TransportStreamKind kind,
        TransportPriority priority,
        CancellationToken cancellationToken)
    {
        try
        {
            return Ranked(await connection.OpenOutboundStreamAsync(Translate(kind), cancellationToken).ConfigureAwait(false), priority);
        }
        catch (QuicException exception)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }

    public override TransportSendResult TrySendStream(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, in TransportPriority priority, long token) =>
        connection.TrySendStream(first, second, ManagedStream.Translate(priority), token) switch
        {
            QuicStreamSendResult.Queued => TransportSendResult.Queued,
            QuicStreamSendResult.TooLarge => TransportSendResult.TooLarge,
            QuicStreamSendResult.Full => TransportSendResult.Full,
            QuicStreamSendResult.NoStreams => TransportSendResult.NoStreams,
            _ => TransportSendResult.Unavailable,
        };

    public override void ResetSentStream(long token, long errorCode, long reliableSize = 0) =>
        connection.ResetSentStream(token, errorCode, reliableSize);

    public override TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token) =>
        connection.TrySendDatagram(payload, ManagedStream.Translate(priority), token) switch
        {
            QuicDatagramResult.Queued => TransportDatagramResult.Queued,
            QuicDatagramResult.TooLarge => TransportDatagramResult.TooLarge,
            QuicDatagramResult.QueueFull => TransportDatagramResult.Full,
            _ => TransportDatagramResult.Unavailable,
        };

    public override TransportStatistics GetStatistics()
    {
        QuicConnectionStatistics counters = connection.GetStatistics();
        var paths = ManagedPathSums.Of(connection.GetPaths());
        return new TransportStatistics
        {
            SmoothedRtt = paths.SmoothedRtt,
            MinRtt = paths.MinRtt,
            CongestionWindow = paths.CongestionWindow,
            BytesInFlight = paths.BytesInFlight,
            EstimatedRate = paths.EstimatedRate,
            MaximumRate = paths.PacingRate,
            BytesSent = counters.BytesSent,
            BytesReceived = counters.BytesReceived,
            PacketsSent = counters.PacketsSent,
            PacketsLost = counters.PacketsLost,
        };
    }

    public override ValueTask CloseAsync(long errorCode, string reason, CancellationToken cancellationToken) =>
        connection.CloseAsync(errorCode, reason, cancellationToken);

    public override ValueTask DisposeAsync() => connection.DisposeAsync();

    private static QuicStreamType Translate(TransportStreamKind kind) =>
        kind == TransportStreamKind.Bidirectional ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional;

    private static ManagedStream Ranked(QuicStream stream, in TransportPriority priority)
    {
        var ours = new ManagedStream(stream);
        ours.SetPriority(priority);
        return ours;
    }
}
