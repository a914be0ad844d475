using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations;

/// <summary>The beginning and the end of an association: HELLO, draining, closing, aborting, and what the transport ends.</summary>
internal sealed class Lifecycle
{
    private readonly AssociationCore _core;
    private readonly TimedAction _helloTimer;
    private readonly TimedAction _closeTimer;
    private readonly TaskCompletionSource _drained;
    private readonly TaskCompletionSource _flushed;
    private readonly TaskCompletionSource _closed;
    private readonly TaskCompletionSource _handshake;
    private Task? _closing;
    private bool _isDraining;

    public Lifecycle(AssociationCore core)
    {
        _core = core;
        _drained = new TaskCompletionSource(core.Continuations);
        _flushed = new TaskCompletionSource(core.Continuations);
        _closed = new TaskCompletionSource(core.Continuations);
        _handshake = new TaskCompletionSource(core.Continuations);
        _helloTimer = new TimedAction(_ => core.Queue(new Work(() => core.Violate(PostErrorCode.MissingHello, "no HELLO came"))));
        _closeTimer = new TimedAction(_ => core.Queue(new Work(() => _flushed.TrySetResult())));
    }

    /// <summary>Why the association ended; null when it was closed in order, or still lives.</summary>
    public PostException? Error { get; private set; }

    /// <summary>Completes when the association is over, in whatever way.</summary>
    public Task Closed => _closed.Task;

    public Task Handshake => _core.IsHandshakeCompleted ? Task.CompletedTask : _handshake.Task;

    public bool HasHello { get; private set; }

    /// <summary>Says HELLO and begins to receive.</summary>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        lock (_core.Gate)
        {
            if (_core.IsHandshakeCompleted)
            {
                AwaitHello();
            }
            else if (RememberedHello.Take(_core.Association) is { } hello)
            {
                _core.Peer = hello;
            }
        }

        _core.Instruments.AssociationOpened(_core.Association.IsInitiator);
        _core.Connection.Start(new TransportSink(_core));
        _core.Inbound.Start();
        await _core.Control.OpenAsync(Hello(), cancellationToken).ConfigureAwait(false);
        _core.Log.Associated(
            _core.Association.Remote?.ToString() ?? _core.Connection.RemoteEndPoint?.ToString() ?? "unknown",
            _core.Association.TransportName,
            _core.Association.IsInitiator ? "initiator" : "listener");
        _core.Wake();
    }

    /// <summary>The peer said HELLO.</summary>
    public void OnHello(HelloFrame hello)
    {
        lock (_core.Gate)
        {
            HasHello = true;
            _core.Peer = hello;
            _core.Timers.Cancel(_helloTimer);
        }

        RememberedHello.Keep(_core.Association, hello, _core.Clock.Provider);
        _core.Wake();
    }

    /// <summary>The peer will serve nothing from an id on.</summary>
    public void OnGoAway(GoAwayFrame frame)
    {
        lock (_core.Gate)
        {
            if (_core.State == AssociationState.Open)
            {
                _core.State = AssociationState.Draining;
            }

            _core.Outbox.FailFrom(
                frame.FirstUnserved,
                new PostException(PostErrorReason.ClosedByPeer, "The peer is closing the association and did not serve this object any more."));
        }

        _core.Wake();
    }

    public void OnHandshakeCompleted()
    {
        lock (_core.Gate)
        {
            // With early data, the time until here was the handshake's, which has its own limit.
            if (!HasHello && !_core.IsClosed)
            {
                AwaitHello();
            }
        }

        _handshake.TrySetResult();
    }

    public void ReopenControl() => _core.Queue(new Work(() => _ = ReopenAsync()));

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
                _core.Frames.AddGoAway(new GoAwayFrame(_core.Inbox.NextUnseen, PostErrorCode.GoingAway));
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
        if (!End(error))
        {
            return;
        }

        _core.Queue(new Work(() => _ = CloseConnectionAsync(code, error.Message)));
    }

    /// <summary>The transport says that the connection is over.</summary>
    public void OnConnectionClosed(TransportException reason)
    {
        var inOrder = reason.Reason == TransportErrorReason.ClosedLocally
            || (reason.Reason == TransportErrorReason.ClosedByPeer && reason.ErrorCode is null or (long)PostErrorCode.NoError);
        if (End(inOrder ? null : ToException(reason)))
        {
            _core.Queue(new Work(() => _ = CloseConnectionAsync(PostErrorCode.NoError, string.Empty)));
        }
    }

    public static PostException Translate(TransportException exception)
    {
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
            PostErrorCode.InternalError or PostErrorCode.Superseded => new PostException(
                PostErrorReason.ClosedByPeer, $"The peer closed the association ({code}): {exception.Message}", exception),
            _ => new PostException(
                PostErrorReason.ProtocolViolation,
                $"The peer closed the association because, as it says, we broke the rules of post/1 ({code}): {exception.Message}",
                exception),
        };
    }

    public PostException ToException(TransportException exception) => Error ?? Translate(exception);

    private static async Task WaitAsync(Task closing, CancellationToken cancellationToken) =>
        await closing.WaitAsync(cancellationToken).ConfigureAwait(false);

    private void AwaitHello() =>
        _core.Timers.Set(_helloTimer, _core.Clock.Now + _core.Clock.Units(ProtocolLimits.HelloTimeout));

    private HelloFrame Hello() => new()
    {
        MaxObjectSize = _core.Options.Incremental == IncrementalDelivery.Never ? _core.Options.MaxWholeObjectSize : PostInteger.MaxValue,
        ReceiveBudget = _core.Options.ReceiveBudget,
        ReceiptsAfterProcessing = _core.Options.ReceiptLevel == ReceiptLevel.Processed,
        Features = (_core.MaxDatagramSize > 0 || (_core.Connection.Capabilities & TransportCapabilities.Datagrams) != 0
                ? HelloFeatures.DatagramObjects
                : 0)
            | (_core.Options.AcceptStreams ? HelloFeatures.PostStreams : 0),
        MaxAntecedents = _core.Options.MaxAntecedents,
        MaxWaiting = _core.Options.MaxWaitingObjects,
    };

    private async Task ReopenAsync()
    {
        try
        {
            await _core.Control.OpenAsync(Hello(), _core.Ended).ConfigureAwait(false);
            lock (_core.Gate)
            {
                if (_closing is not null && !_core.IsClosed)
                {
                    _core.Frames.AddGoAway(new GoAwayFrame(_core.Inbox.NextUnseen, PostErrorCode.GoingAway));
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
        if (_drained.Task.IsCompletedSuccessfully)
        {
            // Our last receipts must reach the peer, or its objects would fail though we took them.
            lock (_core.Gate)
            {
                _core.Frames.Flush();
                _core.Control.EndWhenIdle();
                var patience = Math.Max(6 * _core.HalfRtt, _core.Clock.Units(TimeSpan.FromMilliseconds(100)));
                _core.Timers.Set(_closeTimer, _core.Clock.Now + patience);
            }

            _core.Wake();
            await Task.WhenAny(_flushed.Task, ended).ConfigureAwait(false);
        }

        if (End(null))
        {
            await CloseConnectionAsync(PostErrorCode.NoError, string.Empty).ConfigureAwait(false);
        }

        await Closed.ConfigureAwait(false);
    }

    private Task WhenCanceled(CancellationToken token)
    {
        var source = new TaskCompletionSource(_core.Continuations);
        token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), source);
        return source.Task;
    }

    private bool End(PostException? error)
    {
        lock (_core.Gate)
        {
            if (_core.IsClosed)
            {
                return false;
            }

            _core.State = AssociationState.Closed;
            Error = error;
            _core.Timers.Cancel(_helloTimer);
            _core.Timers.Cancel(_closeTimer);
            _core.Outbox.FailFrom(
                0, error ?? new PostException(PostErrorReason.AssociationEnded, "The association was closed before the object had its end."));
            _core.Inbox.OnClosed(error);
        }

        _core.Wake();
        return true;
    }

    private async Task CloseConnectionAsync(PostErrorCode code, string reason)
    {
        try
        {
            await _core.Connection.CloseAsync((long)code, reason, CancellationToken.None).ConfigureAwait(false);
            await _core.Connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _core.Log.CloseFailed(exception);
        }

        _core.EndWaits();
        _core.DisposeTimers();
        _core.Log.AssociationClosed(code, Error);
        _core.Instruments.AssociationClosed(_core.Association.IsInitiator);
        _core.Delivery.OnClosed();
        _core.Events.OnClosed(Error);
        _handshake.TrySetResult();
        _flushed.TrySetResult();
        _closed.TrySetResult();
        _core.Wake();
    }
}
