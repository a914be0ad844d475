using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Delivery;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Lifecycle;

/// <summary>
/// The beginning and the end of an association: HELLO, draining, closing, aborting. What happens between two connections stands in
/// <see cref="AssociationResumption"/>. Its fields belong to the owner of the association.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "Its token source has no timer and no registrations left when the association is over.")]
internal sealed class AssociationLifecycle
{
    private static readonly TimeSpan MaxWaitForSources = TimeSpan.FromSeconds(1);

    private readonly AssociationState _state;
    private readonly CurrentConnection _connection;
    private readonly EventHub _events;
    private readonly ObjectDelivery _delivery;
    private readonly SendPump _pump;
    private readonly CancellationTokenSource _ended = new();
    private readonly OneTimeSignal _handshake;
    private readonly OneTimeSignal _over;
    private readonly TaskCompletionSource _closed;
    private Closing? _closing;
    private GoAwayFrame? _goAway;
    private long _peerServesBelow = long.MaxValue;
    private bool _isCounted;

    public AssociationLifecycle(
        AssociationState state, CurrentConnection connection, EventHub events, ObjectDelivery delivery, SendPump pump)
    {
        _state = state;
        _connection = connection;
        _events = events;
        _delivery = delivery;
        _pump = pump;
        _closed = new TaskCompletionSource(state.Continuations);
        _handshake = new OneTimeSignal(state.Continuations);
        _over = new OneTimeSignal(state.Continuations);
    }

    /// <summary>How the association outlives its connections; set once, when it is made.</summary>
    public AssociationResumption Resumption { get; set; } = null!;

    /// <summary>Completes when the association is over, in whatever way. From any thread.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Canceled when the association is over. From any thread.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>The peer has said GOAWAY.</summary>
    public bool IsPeerGoing => Volatile.Read(ref _peerServesBelow) != long.MaxValue;

    /// <summary>All our objects have their end, and the peer is just being told the last of its.</summary>
    public bool IsFlushing { get; private set; }

    public Task WhenHandshakeAsync(CancellationToken cancellationToken = default) => _handshake.WaitAsync(cancellationToken);

    /// <summary>Says HELLO over the first connection.</summary>
    public async ValueTask StartAsync(PostConnection connection, CancellationToken cancellationToken)
    {
        _isCounted = true;
        _state.Metrics.AssociationOpened(_state.Association.IsInitiator);
        if (connection.IsHandshakeCompleted)
        {
            OnHandshakeCompleted(connection);
        }
        else if (RememberedHello.Take(_state) is { } remembered)
        {
            _state.Owner.Post(new Message(
                static (target, remembered, _) =>
                {
                    var connection = (PostConnection)target;
                    connection.State.Peer.Hello = connection.PeerHello ?? (HelloFrame)remembered!;
                },
                connection,
                remembered));
        }

        await connection.Control.OpenAsync(Hello(connection), cancellationToken).ConfigureAwait(false);
        _state.Log.Associated(
            _state.Association.Remote?.ToString() ?? connection.Transport.RemoteEndPoint?.ToString() ?? "unknown",
            _state.Association.TransportName,
            _state.Association.IsInitiator ? "initiator" : "listener");
        _state.Owner.Wake();
    }

    /// <summary>What we say over a connection, first of all.</summary>
    public HelloFrame Hello(PostConnection connection) => new()
    {
        MaxObjectSize = _state.Options.Incremental == IncrementalDelivery.Never ? _state.Options.MaxWholeObjectSize : PostInteger.MaxValue,
        ReceiveBudget = _state.Options.ReceiveBudget,
        ReceiptsAfterProcessing = _state.Options.ReceiptLevel == ReceiptLevel.Processed,
        Features = (connection.MaxDatagramSize > 0 || connection.Can(TransportCapabilities.Datagrams) ? HelloFeatures.DatagramObjects : 0)
            | (_state.Options.AcceptStreams ? HelloFeatures.PostStreams : 0)
            | HelloFeatures.Offsets
            | (_state.Inbox.KeepsHandlersInOrder ? HelloFeatures.DeliveredAntecedents : 0),
        MaxAntecedents = _state.Options.MaxAntecedents,
        MaxWaiting = _state.Options.MaxWaitingObjects,
        AssociationId = Resumption.IsOffered ? _state.Id : UInt128.Zero,
        Resumption = connection.Resumption,
        LowestId = connection.ToldLowest,
        Held = connection.ToldHeld,
        Addresses = _state.Association.IsInitiator ? FurtherAddresses.None : FurtherAddresses.Of(_state.Association.Local.FurtherEndPoints),
    };

    /// <summary>The peer will serve nothing from an id on.</summary>
    public PostErrorCode OnGoAway(GoAwayFrame frame)
    {
        if (frame.FirstUnserved > _peerServesBelow)
        {
            // What was given up cannot be served again.
            return PostErrorCode.IdError;
        }

        Volatile.Write(ref _peerServesBelow, frame.FirstUnserved);
        if (_state.Phase == AssociationPhase.Open)
        {
            _state.Phase = AssociationPhase.Draining;
        }

        _state.Outbox.FailFrom(
            frame.FirstUnserved,
            new PostException(PostErrorReason.ClosedByPeer, "The peer is closing the association and did not serve this object any more."));
        return PostErrorCode.NoError;
    }

    /// <summary>A connection goes on with the association: what concerns its closing is said again.</summary>
    public void OnResumed(PendingFrames frames)
    {
        if (_goAway is { } goAway)
        {
            frames.AddGoAway(goAway);
        }
    }

    /// <summary>From any thread.</summary>
    public void OnHandshakeCompleted(PostConnection connection)
    {
        Resumption.OnHandshakeCompleted(connection);
        Resumption.Keeper?.Attach(connection.Transport);
        _handshake.Release();
        _state.Owner.Wake();
    }

    /// <summary>The server did not take the early data, and our control stream with it: says HELLO again.</summary>
    public void ReopenControl(PostConnection connection) => _state.Queue(() => _ = ReopenAsync(connection));

    /// <summary>Drains and closes; whoever calls first decides, the others wait with it. From any thread.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        await _state.Owner.InvokeAsync(static lifecycle => ((AssociationLifecycle)lifecycle).BeginClosing(), this).ConfigureAwait(false);
        await _over.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Something may have come to its end: are we through?</summary>
    public void Check()
    {
        if (_closing is { IsDraining: true } && _state.Outbox.Count == 0)
        {
            _closing.IsDraining = false;
            _state.Queue(_closing.OnDrained);
        }

        if (_state.IsClosed && _state.Outbox.Room.Objects == 0 && _closing is { IsPublished: false })
        {
            _closing.IsPublished = true;
            _state.Queue(_closing.OnPublished);
        }
    }

    public void OnControlStreamAcknowledged()
    {
        if (_closing is { } closing)
        {
            _state.Queue(closing.OnFlushed);
        }
    }

    /// <summary>Closes at once; what is pending fails. From any thread.</summary>
    public void Abort(PostErrorCode code, PostException error) => PostEnd(new End(this, code, error.Message, error, false));

    /// <summary>The connection is over, and the association with it. From any thread.</summary>
    public void EndWithConnection(PostException? error) => PostEnd(new End(this, PostErrorCode.NoError, string.Empty, error, false));

    /// <summary>The association has waited for a connection in vain. From any thread.</summary>
    public void EndWithoutConnection(PostException error) => PostEnd(new End(this, PostErrorCode.NoError, string.Empty, error, true));

    private void PostEnd(End end) => _state.Owner.Post(new Message(static (target, _, _) => ((End)target).Run(), end));

    private void BeginClosing()
    {
        if (_state.IsClosed || _closing is not null)
        {
            return;
        }

        _state.Phase = AssociationPhase.Draining;
        _closing = new Closing(_state) { IsDraining = true };
        var goAway = new GoAwayFrame(_state.Inbox.NextUnseen, PostErrorCode.GoingAway);
        _goAway = goAway;
        _connection.Value?.Frames.AddGoAway(goAway);
        _state.Queue(() => _ = DrainAndCloseAsync(_closing));
    }

    private async Task ReopenAsync(PostConnection connection)
    {
        try
        {
            await connection.Control.OpenAsync(Hello(connection), connection.Over).ConfigureAwait(false);
            _state.Owner.Post(new Message(
                static (target, connection, _) =>
                {
                    var lifecycle = (AssociationLifecycle)target;
                    if (!lifecycle._state.IsClosed)
                    {
                        lifecycle.OnResumed(((PostConnection)connection!).Frames);
                    }
                },
                this,
                connection));
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException)
        {
            // The connection ended; its event is on the way.
        }
    }

    private async Task DrainAndCloseAsync(Closing closing)
    {
        using (var timeout = new CancellationTokenSource(_state.Options.DrainTimeout, _state.Clock.Provider))
        {
            await Task.WhenAny(closing.Drained, _over.WaitAsync(default), WhenCanceled(timeout.Token)).ConfigureAwait(false);
        }

        if (closing.Drained.IsCompletedSuccessfully)
        {
            await _state.Owner.InvokeAsync(static lifecycle => ((AssociationLifecycle)lifecycle).BeginFlushing(), this).ConfigureAwait(false);
            if (closing.HasFlushBegun)
            {
                await Task.WhenAny(closing.Flushed, _over.WaitAsync(default)).ConfigureAwait(false);
            }
        }

        PostEnd(new End(this, PostErrorCode.NoError, string.Empty, null, false));
    }

    /// <summary>Our last receipts must reach the peer, or its objects would fail though we took them; not without a connection.</summary>
    private void BeginFlushing()
    {
        if (_connection.Value is not { } connection || _state.IsClosed)
        {
            return;
        }

        IsFlushing = true;
        _closing!.HasFlushBegun = true;
        connection.Frames.Flush();
        connection.Control.EndWhenIdle();
        var patience = Math.Max(6 * _state.Trips.HalfRtt, _state.Clock.Units(TimeSpan.FromMilliseconds(100)));
        _state.Timers.Set(_closing.Patience, _state.Clock.Now + patience);
    }

    /// <summary>
    /// Nothing comes after <see cref="Sockets.Closed"/>: the events of the objects that end with the association come before it. But a source that
    /// does not let go of its bytes keeps nobody waiting for long.
    /// </summary>
    private async Task WhenPublishedAsync()
    {
        _state.Owner.Wake();
        using var patience = new CancellationTokenSource(MaxWaitForSources, _state.Clock.Provider);
        await Task.WhenAny(_closing!.Published, WhenCanceled(patience.Token)).ConfigureAwait(false);
    }

    private Task WhenCanceled(CancellationToken token)
    {
        var source = new TaskCompletionSource(_state.Continuations);
        token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), source);
        return source.Task;
    }

    private bool TryEnd(PostException? error, bool onlyInterrupted)
    {
        if (_state.IsClosed || (onlyInterrupted && _connection.Value is not null))
        {
            return false;
        }

        _closing ??= new Closing(_state);
        _state.Error = error;
        _state.Phase = AssociationPhase.Closed;
        _state.Timers.Cancel(_closing.Patience);
        _state.Outbox.IsClosed = true;
        Resumption.OnClosed();
        _state.Outbox.FailFrom(
            0, error ?? new PostException(PostErrorReason.AssociationEnded, "The association was closed before the object had its end."));
        _state.Inbox.OnClosed();
        return true;
    }

    private async Task FinishAsync(PostErrorCode code, string reason)
    {
        if (_connection.Value is { } connection)
        {
            connection.Paths.Close(tell: false);
            await connection.CloseAsync(code, reason).ConfigureAwait(false);
            await _state.Owner.InvokeAsync(static lifecycle => ((AssociationLifecycle)lifecycle).EndStreams(), this).ConfigureAwait(false);
        }

        await Resumption.StopAsync(code, reason).ConfigureAwait(false);
        CancelWaits();
        _state.Timers.Dispose();
        _state.Log.AssociationClosed(code, _state.Error);
        if (_isCounted)
        {
            _state.Metrics.AssociationClosed(_state.Association.IsInitiator);
        }

        _delivery.OnClosed();
        await WhenPublishedAsync().ConfigureAwait(false);
        _events.OnClosed(_state.Error);
        _handshake.Release();
        _closing!.OnFlushed();
        _closed.TrySetResult();
        _over.Release();
        _state.Owner.Wake();
    }

    private void EndStreams()
    {
        _connection.Value?.EndStreams(_state.Error ?? new PostException(PostErrorReason.AssociationEnded, "The association was closed."));
        _pump.OnDetached();
    }

    // CancelAsync would go to the thread pool, out of a transport's virtual time, and nothing here takes long.
    private void CancelWaits() => _ended.Cancel();

    /// <summary>One way to the end.</summary>
    private sealed class End(AssociationLifecycle lifecycle, PostErrorCode code, string reason, PostException? error, bool onlyInterrupted)
    {
        public void Run()
        {
            if (lifecycle.TryEnd(error, onlyInterrupted))
            {
                lifecycle._state.Queue(() => _ = lifecycle.FinishAsync(code, reason));
            }
        }
    }

    /// <summary>What is kept from the moment when the end begins.</summary>
    private sealed class Closing
    {
        private readonly TaskCompletionSource _drained;
        private readonly TaskCompletionSource _flushed;
        private readonly TaskCompletionSource _published;

        public Closing(AssociationState state)
        {
            _drained = new TaskCompletionSource(state.Continuations);
            _flushed = new TaskCompletionSource(state.Continuations);
            _published = new TaskCompletionSource(state.Continuations);
            Patience = new TimedAction(_ => state.Queue(OnFlushed));
        }

        /// <summary>Objects are still to get their end.</summary>
        public bool IsDraining { get; set; }

        public bool HasFlushBegun { get; set; }

        public bool IsPublished { get; set; }

        public TimedAction Patience { get; }

        public Task Drained => _drained.Task;

        public Task Flushed => _flushed.Task;

        /// <summary>Every object has its end, and its event.</summary>
        public Task Published => _published.Task;

        public void OnDrained() => _drained.TrySetResult();

        public void OnFlushed() => _flushed.TrySetResult();

        public void OnPublished() => _published.TrySetResult();
    }
}
