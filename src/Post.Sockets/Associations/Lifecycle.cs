using Post.Sockets.Associations.Connections;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations;

/// <summary>
/// The beginning and the end of an association: HELLO, draining, closing, aborting. What happens between two connections stands in
/// <see cref="Resumption.Continuity"/>.
/// </summary>
internal sealed class Lifecycle
{
    private static readonly TimeSpan MaxWaitForSources = TimeSpan.FromSeconds(1);

    private readonly AssociationCore _core;
    private readonly TimedAction _closeTimer;
    private readonly TaskCompletionSource _drained;
    private readonly TaskCompletionSource _flushed;
    private readonly TaskCompletionSource _closed;
    private readonly Waiters _handshake;
    private Task? _closing;
    private GoAwayFrame? _goAway;
    private long _peerServesBelow = long.MaxValue;
    private bool _isDraining;
    private bool _isCounted;

    public Lifecycle(AssociationCore core)
    {
        _core = core;
        _drained = new TaskCompletionSource(core.Continuations);
        _flushed = new TaskCompletionSource(core.Continuations);
        _closed = new TaskCompletionSource(core.Continuations);
        _handshake = new Waiters(core.Continuations);
        _closeTimer = new TimedAction(_ => core.Queue(new Work(() => _flushed.TrySetResult())));
    }

    /// <summary>Why the association ended; null when it was closed in order, or still lives.</summary>
    public PostException? Error { get; private set; }

    /// <summary>Completes when the association is over, in whatever way.</summary>
    public Task Closed => _closed.Task;

    /// <summary>The peer has said GOAWAY.</summary>
    public bool IsPeerGoing => _peerServesBelow != long.MaxValue;

    /// <summary>All our objects have their end, and the peer is just being told the last of its.</summary>
    public bool IsFlushing { get; private set; }

    public Task WhenHandshakeAsync(CancellationToken cancellationToken = default) => _handshake.WaitAsync(cancellationToken);

    /// <summary>Says HELLO over the first connection.</summary>
    public async ValueTask StartAsync(Carrier carrier, CancellationToken cancellationToken)
    {
        _isCounted = true;
        _core.Instruments.AssociationOpened(_core.Association.IsInitiator);
        if (carrier.IsHandshakeCompleted)
        {
            _core.OnHandshakeCompleted(carrier);
        }
        else if (RememberedHello.Take(_core) is { } remembered)
        {
            lock (_core.Gate)
            {
                _core.Peer = carrier.PeerHello ?? remembered;
            }
        }

        await carrier.Control.OpenAsync(Hello(carrier), cancellationToken).ConfigureAwait(false);
        _core.Log.Associated(
            _core.Association.Remote?.ToString() ?? carrier.Connection.RemoteEndPoint?.ToString() ?? "unknown",
            _core.Association.TransportName,
            _core.Association.IsInitiator ? "initiator" : "listener");
        _core.Wake();
    }

    /// <summary>What we say over a connection, first of all.</summary>
    public HelloFrame Hello(Carrier carrier) => new()
    {
        MaxObjectSize = _core.Options.Incremental == IncrementalDelivery.Never ? _core.Options.MaxWholeObjectSize : PostInteger.MaxValue,
        ReceiveBudget = _core.Options.ReceiveBudget,
        ReceiptsAfterProcessing = _core.Options.ReceiptLevel == ReceiptLevel.Processed,
        Features = (carrier.MaxDatagramSize > 0 || carrier.Can(TransportCapabilities.Datagrams) ? HelloFeatures.DatagramObjects : 0)
            | (_core.Options.AcceptStreams ? HelloFeatures.PostStreams : 0)
            | HelloFeatures.Offsets
            | (_core.Inbox.KeepsHandlersInOrder ? HelloFeatures.DeliveredAntecedents : 0),
        MaxAntecedents = _core.Options.MaxAntecedents,
        MaxWaiting = _core.Options.MaxWaitingObjects,
        AssociationId = _core.Continuity.IsOffered ? _core.Id : UInt128.Zero,
        Resumption = carrier.Resumption,
        LowestId = carrier.ToldLowest,
        Held = carrier.ToldHeld,
    };

    /// <summary>The peer will serve nothing from an id on. Under the lock.</summary>
    public PostErrorCode OnGoAway(GoAwayFrame frame)
    {
        if (frame.FirstUnserved > _peerServesBelow)
        {
            // What was given up cannot be served again.
            return PostErrorCode.IdError;
        }

        _peerServesBelow = frame.FirstUnserved;
        if (_core.State == AssociationState.Open)
        {
            _core.State = AssociationState.Draining;
        }

        _core.Outbox.FailFrom(
            frame.FirstUnserved,
            new PostException(PostErrorReason.ClosedByPeer, "The peer is closing the association and did not serve this object any more."));
        return PostErrorCode.NoError;
    }

    /// <summary>A connection goes on with the association: what concerns its closing is said again. Under the lock.</summary>
    public void OnResumed(PendingFrames frames)
    {
        if (_goAway is { } goAway)
        {
            frames.AddGoAway(goAway);
        }
    }

    public void OnHandshakeCompleted() => _handshake.Release();

    public void ReopenControl(Carrier carrier) => _core.Queue(new Work(() => _ = ReopenAsync(carrier)));

    /// <summary>Drains and closes; whoever calls first decides, the others wait with it.</summary>
    public Task CloseAsync(CancellationToken cancellationToken)
    {
        lock (_core.Gate)
        {
            if (_core.IsClosed)
            {
                return Closed;
            }

            if (_closing is null)
            {
                _core.State = AssociationState.Draining;
                _isDraining = true;
                var goAway = new GoAwayFrame(_core.Inbox.NextUnseen, PostErrorCode.GoingAway);
                _goAway = goAway;
                _core.Carrier?.Frames.AddGoAway(goAway);
                _closing = DrainAndCloseAsync();
            }
        }

        _core.Wake();
        return WaitAsync(_closing, cancellationToken);
    }

    /// <summary>Something may have come to its end: are we through? Under the lock.</summary>
    public void CheckDrained()
    {
        if (_isDraining && _core.Outbox.Count == 0)
        {
            _isDraining = false;
            _core.Queue(new Work(() => _drained.TrySetResult()));
        }
    }

    public void OnControlStreamAcknowledged() => _core.Queue(new Work(() => _flushed.TrySetResult()));

    /// <summary>Closes at once; what is pending fails.</summary>
    public void Abort(PostErrorCode code, PostException error)
    {
        if (End(error))
        {
            _core.Queue(new Work(() => _ = FinishAsync(code, error.Message)));
        }
    }

    /// <summary>The connection is over, and the association with it.</summary>
    public void EndWithConnection(PostException? error)
    {
        if (End(error))
        {
            _core.Queue(new Work(() => _ = FinishAsync(PostErrorCode.NoError, string.Empty)));
        }
    }

    /// <summary>The association has waited for a connection in vain.</summary>
    public void EndWithoutConnection(PostException error)
    {
        if (End(error, onlyInterrupted: true))
        {
            _core.Queue(new Work(() => _ = FinishAsync(PostErrorCode.NoError, string.Empty)));
        }
    }

    public static PostException Translate(TransportException exception)
    {
        if (exception.Reason == TransportErrorReason.ClosedLocally)
        {
            return new PostException(PostErrorReason.AssociationEnded, "The association was closed on this side.", exception);
        }

        if (exception.Reason != TransportErrorReason.ClosedByPeer)
        {
            return new PostException(
                exception.Reason == TransportErrorReason.NotSupported ? PostErrorReason.NotSupported : PostErrorReason.Transport,
                exception.Message,
                exception);
        }

        var code = (PostErrorCode)(exception.ErrorCode ?? 0);
        return code switch
        {
            PostErrorCode.NoError or PostErrorCode.GoingAway => new PostException(
                PostErrorReason.ClosedByPeer, "The peer closed the association.", exception),
            PostErrorCode.AssociationRefused => new PostException(
                PostErrorReason.AssociationRefused, "The listener's application refused the association.", exception),
            PostErrorCode.Aborted => new PostException(
                PostErrorReason.Aborted, "The peer's application aborted the association.", exception),
            PostErrorCode.UnknownAssociation => new PostException(
                PostErrorReason.AssociationLost,
                "The connection was lost, and the listener does not know the association any more: it restarted, or waited for as long as it "
                + "does. Whether objects without an end were delivered cannot be known; associate again and send what must not be missed.",
                exception),
            PostErrorCode.InternalError or PostErrorCode.Superseded => new PostException(
                PostErrorReason.ClosedByPeer, $"The peer closed the association ({code}): {exception.Message}", exception),
            _ => new PostException(
                PostErrorReason.ProtocolViolation,
                $"The peer closed the association because, as it says, we broke the rules of post/1 ({code}): {exception.Message}",
                exception),
        };
    }

    private static async Task WaitAsync(Task closing, CancellationToken cancellationToken) =>
        await closing.WaitAsync(cancellationToken).ConfigureAwait(false);

    private async Task ReopenAsync(Carrier carrier)
    {
        try
        {
            await carrier.Control.OpenAsync(Hello(carrier), carrier.Over).ConfigureAwait(false);
            lock (_core.Gate)
            {
                if (!_core.IsClosed)
                {
                    OnResumed(carrier.Frames);
                }
            }
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException)
        {
            // The connection ended; its event is on the way.
        }
    }

    private async Task DrainAndCloseAsync()
    {
        using var timeout = new CancellationTokenSource(_core.Options.DrainTimeout, _core.Clock.Provider);
        var ended = Closed;
        await Task.WhenAny(_drained.Task, ended, WhenCanceled(timeout.Token)).ConfigureAwait(false);
        if (_drained.Task.IsCompletedSuccessfully && TryFlush())
        {
            await Task.WhenAny(_flushed.Task, ended).ConfigureAwait(false);
        }

        if (End(null))
        {
            await FinishAsync(PostErrorCode.NoError, string.Empty).ConfigureAwait(false);
        }

        await Closed.ConfigureAwait(false);
    }

    /// <summary>Our last receipts must reach the peer, or its objects would fail though we took them; false without a connection.</summary>
    private bool TryFlush()
    {
        lock (_core.Gate)
        {
            if (_core.Carrier is not { } carrier)
            {
                return false;
            }

            IsFlushing = true;
            carrier.Frames.Flush();
            carrier.Control.EndWhenIdle();
            var patience = Math.Max(6 * _core.Trips.HalfRtt, _core.Clock.Units(TimeSpan.FromMilliseconds(100)));
            _core.Timers.Set(_closeTimer, _core.Clock.Now + patience);
        }

        _core.Wake();
        return true;
    }

    /// <summary>
    /// Nothing comes after <see cref="Sockets.Closed"/>: the events of the objects that end with the association come before it. But a source that
    /// does not let go of its bytes keeps nobody waiting for long.
    /// </summary>
    private async Task WhenPublishedAsync()
    {
        _core.Wake();
        using var patience = new CancellationTokenSource(MaxWaitForSources, _core.Clock.Provider);
        await Task.WhenAny(_core.Published, WhenCanceled(patience.Token)).ConfigureAwait(false);
    }

    private Task WhenCanceled(CancellationToken token)
    {
        var source = new TaskCompletionSource(_core.Continuations);
        token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), source);
        return source.Task;
    }

    private bool End(PostException? error, bool onlyInterrupted = false)
    {
        lock (_core.Gate)
        {
            if (_core.IsClosed || (onlyInterrupted && _core.Carrier is not null))
            {
                return false;
            }

            _core.State = AssociationState.Closed;
            Error = error;
            _core.Timers.Cancel(_closeTimer);
            _core.Continuity.OnEnded();
            _core.Outbox.FailFrom(
                0, error ?? new PostException(PostErrorReason.AssociationEnded, "The association was closed before the object had its end."));
            _core.Inbox.OnClosed(error);
        }

        _core.Wake();
        return true;
    }

    private async Task FinishAsync(PostErrorCode code, string reason)
    {
        if (_core.Carrier is { } carrier)
        {
            carrier.Paths.Close(tell: false);
            await carrier.CloseAsync(code, reason).ConfigureAwait(false);
            Streams.StreamSender[] streams;
            lock (_core.Gate)
            {
                streams = carrier.EndStreams(Error ?? new PostException(PostErrorReason.AssociationEnded, "The association was closed."));
            }

            foreach (var stream in streams)
            {
                stream.Notify();
            }
        }

        await _core.Continuity.StopAsync(code, reason).ConfigureAwait(false);
        _core.EndWaits();
        _core.DisposeTimers();
        _core.Log.AssociationClosed(code, Error);
        if (_isCounted)
        {
            _core.Instruments.AssociationClosed(_core.Association.IsInitiator);
        }

        _core.Delivery.OnClosed();
        await WhenPublishedAsync().ConfigureAwait(false);
        _core.Events.OnClosed(Error);
        _handshake.Release();
        _flushed.TrySetResult();
        _closed.TrySetResult();
        _core.Wake();
    }
}
