using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Keeping;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Lifecycle;

/// <summary>
/// How an association outlives its connections. When one is lost, the association waits, bounded by
/// <see cref="AssociationOptions.ResumptionTimeout"/>; its initiator connects again, its listener is found by its id and the peer's identity;
/// and it goes on over the new connection. What that means for objects stands where objects live; this is the order of the steps. Its fields
/// belong to the owner of the association.
/// </summary>
internal sealed class AssociationResumption : IHelloHandler
{
    private readonly AssociationState _state;
    private readonly CurrentConnection _connection;
    private readonly IConnectionUser _user;
    private readonly AssociationLifecycle _lifecycle;
    private readonly SendPump _pump;
    private readonly RoundTripMeasurements _measurements;
    private readonly ObjectEffectRunner _effects;
    private TimedAction? _giveUp;
    private OneTimeSignal? _connected;
    private PeerIdentity? _identity;
    private TransportException? _loss;
    private long _lostAt;
    private long _resumption;
    private bool _hasMet;

    public AssociationResumption(
        AssociationState state,
        CurrentConnection connection,
        IConnectionUser user,
        AssociationLifecycle lifecycle,
        SendPump pump,
        RoundTripMeasurements measurements,
        ObjectEffectRunner effects)
    {
        _state = state;
        _connection = connection;
        _user = user;
        _lifecycle = lifecycle;
        _pump = pump;
        _measurements = measurements;
        _effects = effects;
        lifecycle.Resumption = this;
    }

    /// <summary>Connects again; on the initiator.</summary>
    public Reconnector? Reconnector { get; set; }

    /// <summary>Where the association is found again; on the listener.</summary>
    public AssociationRegistry? Registry { get; set; }

    /// <summary>Follows the machine; null where the transport has no interfaces to follow, and on the listener.</summary>
    public PathKeeper? Keeper { get; set; }

    /// <summary>Links the connections of the association.</summary>
    public UInt128 Id => _state.Id;

    /// <summary>The peer is told the id under which the association could go on. From any thread.</summary>
    public bool IsOffered =>
        _state.Id != UInt128.Zero && _state.Options.ResumptionTimeout > TimeSpan.Zero && (Reconnector is not null || Registry is not null);

    /// <summary>
    /// Neither has the peer ever answered nor can it have got an object: where it knows nothing of the association, that may begin again
    /// without anybody losing anything.
    /// </summary>
    public bool CanBeginAnew => !_hasMet && !_state.Outbox.HasSent;

    /// <summary>The number of the next attempt to resume.</summary>
    public long NextResumption() => ++_resumption;

    /// <summary>What we say over a connection. From any thread.</summary>
    public HelloFrame Hello(PostConnection connection) => _lifecycle.Hello(connection);

    /// <summary>The connection that there is, or the next one; null when the association is over. From any thread.</summary>
    public async ValueTask<PostConnection?> WhenConnectedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_connection.Value is not null || _state.IsClosed)
            {
                return _connection.Value;
            }

            // There was one before it was lost, and then a signal for the next.
            await Volatile.Read(ref _connected)!.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What a stream gets whose connection has ended. From any thread.</summary>
    public PostException ToStreamException(TransportException exception) =>
        _state.Error
        ?? (IsOffered && ConnectionLoss.IsLoss(exception) ? StreamLost(exception) : ConnectionErrors.Translate(exception));

    /// <summary>It is now known who the peer is: from here on, it alone can resume the association. From any thread.</summary>
    public void OnHandshakeCompleted(PostConnection connection) => _state.Owner.Post(new Message(
        static (target, peer, _) => ((AssociationResumption)target).Identify((PeerIdentity)peer!), this, connection.Transport.Peer));

    public void OnHello(PostConnection connection, HelloFrame hello)
    {
        _state.Owner.Post(new Message(
            static (target, hello, _) =>
            {
                var resumption = (AssociationResumption)target;
                resumption._state.Peer.Hello = (HelloFrame)hello!;
                resumption._hasMet = true;
            },
            this,
            hello));
        RememberedHello.Keep(_state, hello);
    }

    public void OnViolation(PostConnection connection, PostErrorCode code, string what)
    {
        if (connection.IsCurrent)
        {
            _lifecycle.Abort(
                code, new PostException(PostErrorReason.ProtocolViolation, $"The peer broke the rules of post/1: {what} ({code})."));
        }
        else
        {
            _ = connection.CloseAsync(code, what);
        }
    }

    /// <summary>A connection that carried the association is over.</summary>
    public void OnEnded(PostConnection connection, TransportException reason) => _state.Owner.Post(new Message(
        static (target, loss, _) => ((AssociationResumption)target).Apply((Loss)loss!), this, new Loss(connection, connection.Facts(), reason)));

    /// <summary>
    /// A connection has taken over: if it ended before that, whoever was told so did not know yet for whom it was. HELLO can still be read
    /// from a connection that has ended.
    /// </summary>
    public void CheckEnd(PostConnection connection)
    {
        if (connection.EndReason is { } reason)
        {
            OnEnded(connection, reason);
        }
    }

    /// <summary>
    /// On the listener: a connection says that it resumes this association. Takes it over where it comes from the same peer and is newer
    /// than all before; otherwise says with which code to close it. From any thread.
    /// </summary>
    public async ValueTask<PostErrorCode> TryResumeAsync(PostConnection connection, HelloFrame hello)
    {
        var resuming = new Resuming(this, connection, hello);
        await _state.Owner.InvokeAsync(static resuming => ((Resuming)resuming).Run(), resuming).ConfigureAwait(false);
        if (resuming.Error == PostErrorCode.NoError)
        {
            AfterResumption(connection);
        }

        return resuming.Error;
    }

    /// <summary>What a peer is told of the unfinished objects that are here; nothing where it would not understand.</summary>
    public HeldObjects TellHeld(HelloFrame peer) =>
        (peer.Features & HelloFeatures.Offsets) == 0 ? HeldObjects.None : _state.Inbox.TellHeld();

    /// <summary>On the initiator: the listener has resumed the association; with which code to close if that cannot be.</summary>
    public PostErrorCode Accept(PostConnection connection, HelloFrame hello)
    {
        if (_state.IsClosed)
        {
            return PostErrorCode.Aborted;
        }

        if (Check(hello) is var error and not PostErrorCode.NoError)
        {
            return error;
        }

        Resume(connection, hello);
        _state.Queue(() => AfterResumption(connection));
        return PostErrorCode.NoError;
    }

    /// <summary>The association is over.</summary>
    public void OnClosed()
    {
        CancelGiveUp();
        Registry?.Remove(this);
        if (_connected is { } connected)
        {
            _state.Queue(connected.Release);
        }

        if (Keeper is { } keeper)
        {
            _state.Queue(keeper.Dispose);
        }
    }

    /// <summary>A connection that was to carry it is closed. From any thread.</summary>
    public ValueTask StopAsync(PostErrorCode code, string reason) => Reconnector?.StopAsync(code, reason) ?? ValueTask.CompletedTask;

    /// <summary>There is no room for an association that waits, or nobody any more who could resume it. From any thread.</summary>
    public void GiveUp() => _state.Queue(() => _lifecycle.EndWithoutConnection(new PostException(
        PostErrorReason.Transport,
        $"The connection was lost ({_loss?.Message ?? "unknown"}), and the association did not go on over another one in time. ResumptionTimeout "
        + "and MaxInterrupted say for how long, and for how many, that is waited.",
        _loss)));

    private static PostException StreamLost(TransportException reason) => new(
        PostErrorReason.ConnectionLost,
        "The connection was lost, and a stream ends with its connection: what of it arrived cannot be known. The association goes on; open "
        + "another stream (OpenAsync waits for the new connection), or send objects, which outlive connections.",
        reason);

    private static bool IsSamePeer(PeerIdentity? known, PeerIdentity peer)
    {
        if (known is null || known.Proof != peer.Proof)
        {
            return false;
        }

        // A certificate may be renewed, with another key, under the name that the authority vouches for.
        return known.Key == peer.Key
            || (known.Proof == PeerProof.CertificateAuthority && known.Name is not null
                && string.Equals(known.Name, peer.Name, StringComparison.OrdinalIgnoreCase));
    }

    private void Identify(PeerIdentity peer)
    {
        if (_identity is not null)
        {
            return;
        }

        _identity = peer;
        if (Registry is not null && (!IsOffered || !Registry.TryAdd(this)))
        {
            // An id that is taken stays with whom it belongs to.
            Registry = null;
        }
    }

    private void Apply(Loss loss)
    {
        var (connection, facts, reason) = loss;
        if (_state.IsClosed || _connection.Value != connection)
        {
            return;
        }

        var inOrder = reason.Reason == TransportErrorReason.ClosedLocally
            || (reason.Reason == TransportErrorReason.ClosedByPeer && reason.ErrorCode is null or (long)PostErrorCode.NoError);
        if (inOrder || !CanWait(connection, facts, reason))
        {
            _lifecycle.EndWithConnection(inOrder || _lifecycle.IsFlushing ? null : ConnectionErrors.Translate(reason));
            return;
        }

        Interrupt(connection, facts, reason);
        _state.Queue(() =>
        {
            AfterInterruption(connection, PostErrorCode.NoError, reason);
            Reconnector?.Begin();
        });
    }

    private bool CanWait(PostConnection connection, ConnectionFacts facts, TransportException reason) =>
        IsOffered
        && !_lifecycle.IsFlushing
        && ConnectionLoss.IsLoss(reason)
        && connection.IsHandshakeCompleted
        && (Reconnector is not null
            ? connection.PeerHello is null || connection.PeerHello.AssociationId == _state.Id
            : Registry!.TryKeep(this, PeerScope.Of(_identity, facts.RemoteEndPoint)));

    /// <summary>The association is without a connection from now on.</summary>
    private void Interrupt(PostConnection connection, ConnectionFacts facts, TransportException reason)
    {
        _loss = reason;
        _lostAt = _state.Clock.Now;
        Volatile.Write(ref _connected, new OneTimeSignal(_state.Continuations));
        _connection.Detach(facts);

        // Here and not after: what comes with the next connection shall not pass it.
        connection.Paths.Close(tell: true);
        _user.Events.OnConnectionChanged(
            new ConnectionChanged(_state.Association, false, ConnectionErrors.Translate(reason), TimeSpan.Zero));
        connection.EndStreams(StreamLost(reason));
        _pump.OnDetached();
        _state.Outbox.OnInterrupted();
        _state.Inbox.OnInterrupted(
            Registry?.Reserve(this, PeerScope.Of(_identity, facts.RemoteEndPoint), _state.Inbox.UnfinishedBytes) ?? long.MaxValue);
        _giveUp ??= new TimedAction(_ => GiveUp());
        _state.Timers.Set(_giveUp, _lostAt + _state.Clock.Units(_state.Options.ResumptionTimeout));

        // None of it is for the next connection.
        _effects.Run();
    }

    private void AfterInterruption(PostConnection connection, PostErrorCode code, TransportException reason)
    {
        _state.Log.Interrupted(reason.Reason, reason.Message);
        _state.Metrics.Interrupted(_state.Association.IsInitiator);
        connection.LetGo();
        Keeper?.Detach(connection.Transport);
        _ = connection.CloseAsync(code, "the connection was lost");
    }

    private PostErrorCode Check(HelloFrame hello) =>
        _state.Inbox.IsPossible(hello.LowestId) ? _state.Outbox.Check(hello.Held) : PostErrorCode.IdError;

    /// <summary>The association goes on over this connection.</summary>
    private void Resume(PostConnection connection, HelloFrame hello)
    {
        connection.Bind(_user);
        foreach (var (status, ids) in _state.Inbox.OnResumed(hello))
        {
            connection.Frames.AddReceipts(status, ids);
        }

        _state.Peer.Hello = hello;
        _hasMet = true;
        Attach(connection, tell: true);
        _user.Events.OnConnectionChanged(
            new ConnectionChanged(_state.Association, true, null, _state.Clock.Span(_state.Clock.Now - _lostAt)));
        _state.Outbox.GoOn(hello.Held);
        foreach (var ids in _state.Outbox.EndedFrom(connection.ToldLowest))
        {
            connection.Frames.AddAbandon(AbandonReason.Expired, ids);
        }

        _lifecycle.OnResumed(connection.Frames);
        CancelGiveUp();
        Registry?.Release(this);
    }

    /// <summary>A connection carries the association from now on; with <paramref name="tell"/>, the application is told of its paths.</summary>
    public void Attach(PostConnection connection, bool tell)
    {
        _connection.Attach(connection);
        _measurements.OnAttached();
        connection.Paths.Open(_user.Events, tell);
    }

    private void AfterResumption(PostConnection connection)
    {
        _state.Log.Resumed(_state.Clock.Span(_state.Clock.Now - _lostAt), connection.Transport.RemoteEndPoint);
        _state.Metrics.Resumed(_state.Association.IsInitiator);
        connection.MakeReady();
        Keeper?.Attach(connection.Transport);
        _connected?.Release();
        CheckEnd(connection);
    }

    private void CancelGiveUp()
    {
        if (_giveUp is not null)
        {
            _state.Timers.Cancel(_giveUp);
        }
    }

    private sealed record Loss(PostConnection Connection, ConnectionFacts Facts, TransportException Reason);

    /// <summary>A connection's wish to resume, and what becomes of it.</summary>
    private sealed class Resuming(AssociationResumption resumption, PostConnection connection, HelloFrame hello)
    {
        public PostErrorCode Error { get; private set; }

        public void Run() => Error = resumption.TryTakeOver(connection, hello);
    }

    private PostErrorCode TryTakeOver(PostConnection connection, HelloFrame hello)
    {
        if (_state.IsClosed || !IsSamePeer(_identity, connection.Transport.Peer))
        {
            return PostErrorCode.UnknownAssociation;
        }

        // One that was overtaken on its way, or is replayed, must not take the place of a newer one.
        if (hello.Resumption <= _resumption)
        {
            return PostErrorCode.Superseded;
        }

        if (Check(hello) is var error and not PostErrorCode.NoError)
        {
            return error;
        }

        if (_connection.Value is { } old)
        {
            var loss = new TransportException(
                TransportErrorReason.ConnectionReset, "Another connection of the same association took this one's place.");
            Interrupt(old, old.Facts(), loss);
            _state.Queue(() => AfterInterruption(old, PostErrorCode.Superseded, loss));
        }

        _resumption = hello.Resumption;
        connection.Resumption = hello.Resumption;
        connection.ToldLowest = _state.Outbox.LowestId;
        connection.ToldHeld = TellHeld(hello);
        Resume(connection, hello);
        return PostErrorCode.NoError;
    }
}
