using System.Net;
using System.Net.Quic;
using System.Runtime.Versioning;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>A connection of System.Net.Quic behind the seam.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class SystemNetQuicConnection : TransportConnection
{
    /// <summary>
    /// Without the extras, System.Net.Quic follows the peer's address without an event, so it is polled: often enough for a person to see it, seldom
    /// enough for a server with thousands of connections.
    /// </summary>
    private static readonly TimeSpan AddressWatchInterval = TimeSpan.FromMilliseconds(500);

    private const string ClosedHere = "The connection was closed on this side.";

    private readonly QuicConnection _connection;
    private readonly StreamOpenings _unidirectional;
    private readonly StreamOpenings _bidirectional;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _moving = new(1);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TransportException? _closed;
    private IPEndPoint _seenRemote;
    private IPEndPoint? _migratedTo;
    private ITimer? _addressWatch;
    private bool _isStarted;
    private bool _isOver;

    public SystemNetQuicConnection(
        QuicConnection connection, bool isClient, PeerIdentity peer, TimeProvider time, QuicConnectionExtras? extras = null)
    {
        _connection = connection;
        _unidirectional = new StreamOpenings(connection, QuicStreamType.Unidirectional);
        _bidirectional = new StreamOpenings(connection, QuicStreamType.Bidirectional);
        _time = time;
        IsClient = isClient;
        Peer = peer;
        Extras = extras;
        _seenRemote = connection.RemoteEndPoint;
    }

    public override TransportCapabilities Capabilities
    {
        get
        {
            if (Extras is null)
            {
                return TransportCapabilities.None;
            }

            TransportCapabilities capabilities = Extras.Capabilities;
            if (MaxDatagramSize == 0)
            {
                capabilities &= ~TransportCapabilities.Datagrams;
            }

            return IsClient ? capabilities : capabilities & ~TransportCapabilities.Migration;
        }
    }

    public override bool IsClient { get; }

    public override PeerIdentity Peer { get; }

    public override EndPoint? LocalEndPoint => Volatile.Read(ref _migratedTo) ?? _connection.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => _connection.RemoteEndPoint;

    public override bool IsResumed => Extras is { IsResumed: true };

    public override int MaxDatagramSize => Extras?.MaxDatagramSize ?? 0;

    internal QuicConnectionExtras? Extras { get; }

    internal EventSequence? Events { get; private set; }

    /// <summary>Completes when it has ended.</summary>
    internal Task Ended => _ended.Task;

    /// <summary>It has ended, or is being closed from this side.</summary>
    internal bool IsClosed => Volatile.Read(ref _closed) is not null;

    internal TransportException ClosedReason => _closed!;

    public override void Start(TransportEvents listener)
    {
        var events = new EventSequence(listener);
        Events = events;
        Extras?.Start(events, LookAtAddress);
        events.OnHandshakeCompleted();
        bool isOver;
        lock (_gate)
        {
            _isStarted = true;
            isOver = _isOver;
            if (Extras is null && !isOver)
            {
                using (ExecutionContext.SuppressFlow())
                {
                    _addressWatch = _time.CreateTimer(
                        static state => ((SystemNetQuicConnection)state!).LookAtAddress(), this, AddressWatchInterval, AddressWatchInterval);
                }
            }
        }

        if (isOver)
        {
            events.OnClosed(ClosedReason);
        }
    }

    // Opening always waits for msquic's worker, so there is no quick way.
    public override TransportStream? TryOpenStream(TransportStreamKind kind, in TransportPriority priority) =>
        IsClosed ? throw ClosedReason : null;

    public override async ValueTask<TransportStream> OpenStreamAsync(
        TransportStreamKind kind,
        TransportPriority priority,
        CancellationToken cancellationToken)
    {
        try
        {
            StreamOpenings openings = kind == TransportStreamKind.Bidirectional ? _bidirectional : _unidirectional;
            QuicStream stream = await openings.OpenAsync(cancellationToken).ConfigureAwait(false);
            var opened = new SystemNetQuicStream(this, stream, isLocal: true);
            opened.SetPriority(priority);
            return opened;
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            throw Fail(exception);
        }
    }

    public override async ValueTask<TransportStream> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        try
        {
            QuicStream stream = await _connection.AcceptInboundStreamAsync(cancellationToken).ConfigureAwait(false);
            return new SystemNetQuicStream(this, stream, isLocal: false);
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            throw Fail(exception);
        }
    }

    public override TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token) =>
        Extras is null || IsClosed ? TransportDatagramResult.Unavailable : Extras.TrySendDatagram(payload, priority, token);

    public override TransportStatistics GetStatistics() => Extras?.GetStatistics() ?? default;

    public override IReadOnlyList<PostPath> GetPaths() => [Path()];

    public override async ValueTask MigrateAsync(IPEndPoint? localEndPoint, CancellationToken cancellationToken)
    {
        if (Extras is null || !Capabilities.HasFlag(TransportCapabilities.Migration))
        {
            await base.MigrateAsync(localEndPoint, cancellationToken).ConfigureAwait(false);
            return;
        }

        await _moving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Volatile.Write(
                ref _migratedTo, await Extras.MoveAsync(_connection.RemoteEndPoint, localEndPoint, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _moving.Release();
        }

        Events?.OnPathChanged(Path(), PostPathChange.Migrated);
    }

    public override async ValueTask CloseAsync(long errorCode, string reason, CancellationToken cancellationToken)
    {
        // Noted first: streams and waits end while it closes, and look here for the reason.
        Note(new TransportException(TransportErrorReason.ClosedLocally, ClosedHere, errorCode));
        try
        {
            await _connection.CloseAsync(errorCode, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            // It was gone already, which is what was asked for.
        }
        finally
        {
            End();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        Note(new TransportException(TransportErrorReason.ClosedLocally, ClosedHere));
        await _connection.DisposeAsync().ConfigureAwait(false);
        End();
    }

    /// <summary>Translates a failure of the whole connection, which ends it.</summary>
    internal TransportException Fail(Exception exception)
    {
        Note(QuicErrors.Translate(exception, isConnected: true));
        End();
        return ClosedReason;
    }

    /// <summary>Returns if the failure of a stream is the stream's own affair; else it is the connection that ended.</summary>
    internal void ThrowUnlessOfStream(Exception exception)
    {
        if (IsClosed)
        {
            throw ClosedReason;
        }

        if (!QuicErrors.IsStreamFailure(exception))
        {
            throw Fail(exception);
        }
    }

    internal IStreamRanking? RankingOf(QuicStream stream) => Extras?.RankingOf(stream);

    /// <summary>Why it ends: the first reason is the one.</summary>
    private void Note(TransportException reason) => Interlocked.CompareExchange(ref _closed, reason, null);

    private void End()
    {
        bool isStarted;
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            isStarted = _isStarted;
        }

        _ended.TrySetResult();
        _addressWatch?.Dispose();
        _unidirectional.End();
        _bidirectional.End();
        if (isStarted)
        {
            Events?.OnClosed(ClosedReason);
        }
    }

    private void LookAtAddress()
    {
        IPEndPoint remote = _connection.RemoteEndPoint;
        lock (_gate)
        {
            if (_closed is not null || remote.Equals(_seenRemote))
            {
                return;
            }

            _seenRemote = remote;
        }

        Events?.OnPathChanged(Path(), PostPathChange.PeerMoved);
    }

    private PostPath Path()
    {
        var path = new PostPath
        {
            Id = 0,
            LocalEndPoint = LocalEndPoint,
            RemoteEndPoint = _connection.RemoteEndPoint,
            State = IsClosed ? PostPathState.Removed : PostPathState.Active,
        };
        return Extras?.Describe(path) ?? path;
    }
}
