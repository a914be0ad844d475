using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine;
using Post.Quic.Security;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>A connection of the managed engine behind the seam.</summary>
internal sealed class ManagedConnection(QuicConnection connection, ManagedEvents events, PeerVerifier verifier, string? connectedName)
    : TransportConnection
{
    private PeerIdentity? _peer;

    // Not every peer knows RESET_STREAM_AT, and what is promised and then not done would never be made good.
    public override TransportCapabilities Capabilities =>
        ManagedTransport.AllCapabilities & ~(connection.CanResetReliably ? TransportCapabilities.None : TransportCapabilities.ReliableReset);

    public override bool IsClient => connection.IsClient;

    public override PeerIdentity Peer
    {
        get
        {
            // A server that does not take the session proves itself anew, maybe with another of the keys that are trusted.
            X509Certificate2? certificate = connection.RemoteCertificate;
            if (_peer is not { } known || known.Certificate != certificate)
            {
                _peer = known = verifier.Identify(certificate, connectedName);
            }

            return known;
        }
    }

    public override EndPoint? LocalEndPoint => connection.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => connection.RemoteEndPoint;

    public override bool IsHandshakeCompleted => connection.IsHandshakeComplete;

    public override bool IsResumed => connection.IsResumed;

    public override int MaxDatagramSize => connection.MaxDatagramSize;

    public override void Start(TransportEvents listener) => events.Attach(listener);

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

    public override ValueTask<TransportStream> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        ValueTask<QuicStream> accepting = connection.AcceptInboundStreamAsync(cancellationToken);
        return accepting.IsCompletedSuccessfully
            ? new ValueTask<TransportStream>(new ManagedStream(accepting.GetAwaiter().GetResult()))
            : FinishAcceptAsync(accepting);
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
        QuicPath? active = null;
        foreach (QuicPath path in connection.GetPaths())
        {
            active = path.IsActive ? path : active;
        }

        PostPath? main = active is null ? null : ManagedPaths.Translate(active);
        return new TransportStatistics
        {
            SmoothedRtt = main?.SmoothedRtt,
            MinRtt = main?.MinRtt,
            CongestionWindow = active?.CongestionWindow,
            BytesInFlight = active?.BytesInFlight,
            EstimatedRate = active?.EstimatedRate,
            MaximumRate = active?.PacingRate,
            BytesSent = counters.BytesSent,
            BytesReceived = counters.BytesReceived,
            PacketsSent = counters.PacketsSent,
            PacketsLost = counters.PacketsLost,
        };
    }

    public override IReadOnlyList<PostPath> GetPaths() => [.. connection.GetPaths().Select(path => ManagedPaths.Translate(path))];

    public override async ValueTask MigrateAsync(IPEndPoint? localEndPoint, CancellationToken cancellationToken)
    {
        try
        {
            await connection.MigrateAsync(localEndPoint, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException exception)
        {
            throw new TransportException(TransportErrorReason.NotSupported, exception.Message, innerException: exception);
        }
        catch (Exception exception) when (exception is QuicException or SocketException or ObjectDisposedException)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
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

    private static async ValueTask<TransportStream> FinishAcceptAsync(ValueTask<QuicStream> accepting)
    {
        try
        {
            return new ManagedStream(await accepting.ConfigureAwait(false));
        }
        catch (QuicException exception)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }
}
