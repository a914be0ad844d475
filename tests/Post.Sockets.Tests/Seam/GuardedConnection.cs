using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

internal class GuardedConnection(TransportConnection inner, SeamGuard guard) : TransportConnection
{
    /// <summary>The connection behind the guard, for a test that looks for it in the network.</summary>
    public TransportConnection Inner => inner;

    public override TransportCapabilities Capabilities
    {
        get
        {
            guard.Check("Connection.Capabilities");
            return inner.Capabilities;
        }
    }

    public override bool IsClient
    {
        get
        {
            guard.Check("Connection.IsClient");
            return inner.IsClient;
        }
    }

    public override PeerIdentity Peer
    {
        get
        {
            guard.Check("Connection.Peer");
            return inner.Peer;
        }
    }

    public override EndPoint? LocalEndPoint
    {
        get
        {
            guard.Check("Connection.LocalEndPoint");
            return inner.LocalEndPoint;
        }
    }

    public override EndPoint? RemoteEndPoint
    {
        get
        {
            guard.Check("Connection.RemoteEndPoint");
            return inner.RemoteEndPoint;
        }
    }

    public override bool IsHandshakeCompleted
    {
        get
        {
            guard.Check("Connection.IsHandshakeCompleted");
            return inner.IsHandshakeCompleted;
        }
    }

    public override bool IsResumed
    {
        get
        {
            guard.Check("Connection.IsResumed");
            return inner.IsResumed;
        }
    }

    public override int MaxDatagramSize
    {
        get
        {
            guard.Check("Connection.MaxDatagramSize");
            return inner.MaxDatagramSize;
        }
    }

    public override void Start(TransportEvents events)
    {
        guard.Learn(events);
        guard.Check("Connection.Start");
        inner.Start(Before(new GuardedEvents(events, guard)));
    }

    /// <summary>What a subclass puts between the transport and whoever listens.</summary>
    protected virtual TransportEvents Before(TransportEvents events) => events;

    public override TransportStream? TryOpenStream(TransportStreamKind kind, in TransportPriority priority)
    {
        guard.Check("Connection.TryOpenStream");
        return inner.TryOpenStream(kind, priority) is { } stream ? GuardedStream.Of(stream, guard) : null;
    }

    public override async ValueTask<TransportStream> OpenStreamAsync(
        TransportStreamKind kind, TransportPriority priority, CancellationToken cancellationToken)
    {
        guard.Check("Connection.OpenStreamAsync");
        return GuardedStream.Of(await inner.OpenStreamAsync(kind, priority, cancellationToken).ConfigureAwait(false), guard);
    }

    public override TransportSendResult TrySendStream(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, in TransportPriority priority, long token)
    {
        guard.Check("Connection.TrySendStream");
        return inner.TrySendStream(first, second, priority, token);
    }

    public override void ResetSentStream(long token, long errorCode, long reliableSize = 0)
    {
        guard.Check("Connection.ResetSentStream");
        inner.ResetSentStream(token, errorCode, reliableSize);
    }

    public override async ValueTask<TransportStream> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        guard.Check("Connection.AcceptStreamAsync");
        return GuardedStream.Of(await inner.AcceptStreamAsync(cancellationToken).ConfigureAwait(false), guard);
    }

    public override TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token)
    {
        guard.Check("Connection.TrySendDatagram");
        guard.LastDatagram = priority;
        return inner.TrySendDatagram(payload, priority, token);
    }

    public override TransportStatistics GetStatistics()
    {
        guard.Check("Connection.GetStatistics");
        return inner.GetStatistics();
    }

    public override IReadOnlyList<PostPath> GetPaths()
    {
        guard.Check("Connection.GetPaths");
        return inner.GetPaths();
    }

    public override ValueTask<PostPath> OpenPathAsync(IPEndPoint localEndPoint, IPEndPoint? remoteEndPoint, CancellationToken cancellationToken)
    {
        guard.Check("Connection.OpenPathAsync");
        return inner.OpenPathAsync(localEndPoint, remoteEndPoint, cancellationToken);
    }

    public override ValueTask ClosePathAsync(long pathId, CancellationToken cancellationToken)
    {
        guard.Check("Connection.ClosePathAsync");
        return inner.ClosePathAsync(pathId, cancellationToken);
    }

    public override void SetPathStatus(long pathId, TransportPathStatus status)
    {
        guard.Check("Connection.SetPathStatus");
        inner.SetPathStatus(pathId, status);
    }

    public override ValueTask MigrateAsync(IPEndPoint? localEndPoint, CancellationToken cancellationToken)
    {
        guard.Check("Connection.MigrateAsync");
        return inner.MigrateAsync(localEndPoint, cancellationToken);
    }

    public override ValueTask CloseAsync(long errorCode, string reason, CancellationToken cancellationToken)
    {
        guard.Check("Connection.CloseAsync");
        return inner.CloseAsync(errorCode, reason, cancellationToken);
    }

    public override ValueTask DisposeAsync()
    {
        guard.Check("Connection.DisposeAsync");
        return inner.DisposeAsync();
    }
}
