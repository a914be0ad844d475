using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Streams;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Resumption;

/// <summary>
/// How an association outlives its connections. When one is lost, the association waits, bounded by
/// <see cref="AssociationOptions.ResumptionTimeout"/>; its initiator connects again, its listener is found by its id and the peer's identity;
/// and it goes on over the new connection. What that means for objects stands where objects live; this is the order of the steps.
/// </summary>
internal sealed class Continuity : IGreeter
{
    private readonly AssociationCore _core;
    private readonly TimedAction _giveUp;
    private Waiters _connected;
    private PeerIdentity? _identity;
    private TransportException? _loss;
    private long _lostAt;
    private long _resumption;
    private bool _hasMet;

    public Continuity(AssociationCore core)
    {
        _core = core;
        _connected = new Waiters(core.Continuations);
        _connected.Release();
        _giveUp = new TimedAction(_ => core.Queue(new Work(GiveUp)));
    }

    /// <summary>Connects again; on the initiator.</summary>
    public Reconnector? Reconnector { get; set; }

    /// <summary>Where the association is found again; on the listener.</summary>
    public KnownAssociations? Known { get; set; }

    /// <summary>The peer is told the id under which the association could go on.</summary>
    public bool IsOffered =>
        _core.Id != UInt128.Zero && _core.Options.ResumptionTimeout > TimeSpan.Zero && (Reconnector is not null || Known is not null);

    /// <summary>
    /// Neither has the peer ever answered nor can it have got an object: where it knows nothing of the association, that may begin again
    /// without anybody losing anything.
    /// </summary>
    public bool CanBeginAnew => !_hasMet && !_core.Outbox.HasSent;

    /// <summary>The number of the next attempt to resume. Under the lock.</summary>
    public long NextResumption() => ++_resumption;

    /// <summary>The connection that there is, or the next one; null when the association is over.</summary>
    public async ValueTask<Carrier?> WhenConnectedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Waiters connected;
            lock (_core.Gate)
            {
                if (_core.IsClosed || _core.Carrier is not null)
                {
                    return _core.Carrier;
                }

                connected = _connected;
            }

            await connected.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What a stream gets whose connection has ended.</summary>
    public PostException ToStreamException(TransportException exception) =>
        _core.Lifecycle.Error
        ?? (IsOffered && ConnectionLoss.IsLoss(exception) ? StreamLost(exception) : Lifecycle.Translate(exception));

    /// <summary>It is now known who the peer is: from here on, it alone can resume the association.</summary>
    public void OnHandshakeCompleted(Carrier carrier)
    {
        var peer = carrier.Connection.Peer;
        lock (_core.Gate)
        {
            if (_identity is not null)
            {
                return;
            }

            _identity = peer;
        }

        if (Known is not null && (!IsOffered || !Known.TryAdd(_core)))
        {
            // An id that is taken stays with whom it belongs to.
            Known = null;
        }
    }

    void IGreeter.OnHello(Carrier carrier, HelloFrame hello)
    {
        lock (_core.Gate)
        {
            _core.Peer = hello;
            _hasMet = true;
        }

        RememberedHello.Keep(_core, hello);
        _core.Wake();
    }

    void IGreeter.OnViolation(Carrier carrier, PostErrorCode code, string what) => OnViolation(carrier, code, what);

    void IGreeter.OnEnded(Carrier carrier, TransportException reason) => OnConnectionEnded(carrier, reason);

    public void OnViolation(Carrier carrier, PostErrorCode code, string what)
    {
        if (_core.Carrier == carrier)
        {
            _core.Lifecycle.Abort(
                code, new PostException(PostErrorReason.ProtocolViolation, $"The peer broke the rules of post/1: {what} ({code})."));
        }
        else
        {
            _ = carrier.CloseAsync(code, what);
        }
    }

    /// <summary>A connection that carried the association is over.</summary>
    public void OnConnectionEnded(Carrier carrier, TransportException reason)
    {
        var inOrder = reason.Reason == TransportErrorReason.ClosedLocally
            || (reason.Reason == TransportErrorReason.ClosedByPeer && reason.ErrorCode is null or (long)PostErrorCode.NoError);
        var facts = carrier.Facts();
        StreamSender[] streams;
        bool isLost;
        lock (_core.Gate)
        {
            if (_core.IsClosed || _core.Carrier != carrier)
            {
                return;
            }

            isLost = !inOrder && CanWait(carrier, facts, reason);
            streams = isLost ? Interrupt(carrier, facts, reason) : [];
        }

        if (!isLost)
        {
            _core.Lifecycle.EndWithConnection(inOrder || _core.Lifecycle.IsFlushing ? null : Lifecycle.Translate(reason));
            return;
        }

        AfterInterruption(carrier, PostErrorCode.NoError, reason, streams);
        Reconnector?.Begin();
    }

    /// <summary>
    /// A connection has taken over: if it ended before that, whoever was told so did not know yet for whom it was. HELLO can still be read
    /// from a connection that has ended.
    /// </summary>
    public void CheckEnd(Carrier carrier)
    {
        if (carrier.EndReason is { } reason)
        {
            OnConnectionEnded(carrier, reason);
        }
    }

    /// <summary>
    /// On the listener: a connection says that it resumes this association. Takes it over where it comes from the same peer and is newer
    /// than all before; otherwise says with which code to close it.
    /// </summary>
    public PostErrorCode TryResume(Carrier carrier, HelloFrame hello)
    {
        var old = _core.Carrier;
        var facts = old?.Facts();
        var loss = new TransportException(TransportErrorReason.ConnectionReset, "Another connection of the same association took this one's place.");
        StreamSender[] streams = [];
        var peer = carrier.Connection.Peer;
        lock (_core.Gate)
        {
            if (_core.IsClosed || !IsSamePeer(_identity, peer))
            {
                return PostErrorCode.UnknownAssociation;
            }

            // One that was overtaken on its way, or is replayed, must not take the place of a newer one.
            if (hello.Resumption <= _resumption || _core.Carrier != old)
            {
                return PostErrorCode.Superseded;
            }

            if (Check(hello) is var error and not PostErrorCode.NoError)
            {
                return error;
            }

            if (old is not null)
            {
                streams = Interrupt(old, facts!, loss);
            }

            _resumption = hello.Resumption;
            carrier.Resumption = hello.Resumption;
            carrier.ToldLowest = _core.Outbox.LowestId;
            carrier.ToldHeld = TellHeld(hello);
            Resume(carrier, hello);
        }

        if (old is not null)
        {
            AfterInterruption(old, PostErrorCode.Superseded, loss, streams);
        }

        AfterResumption(carrier);
        return PostErrorCode.NoError;
    }

    /// <summary>What a peer is told of the unfinished objects that are here; nothing where it would not understand. Under the lock.</summary>
    public HeldObjects TellHeld(HelloFrame peer) =>
        (peer.Features & HelloFeatures.Offsets) == 0 ? HeldObjects.None : _core.Inbox.TellHeld();

    /// <summary>On the initiator: the listener has resumed the association; with which code to close if that cannot be.</summary>
    public PostErrorCode Accept(Carrier carrier, HelloFrame hello)
    {
        lock (_core.Gate)
        {
            if (_core.IsClosed)
            {
                return PostErrorCode.Aborted;
            }

            if (Check(hello) is var error and not PostErrorCode.NoError)
            {
                return error;
            }

            Resume(carrier, hello);
        }

        AfterResumption(carrier);
        return PostErrorCode.NoError;
    }

    /// <summary>The association is over. Under the lock.</summary>
    public void OnEnded()
    {
        _core.Timers.Cancel(_giveUp);
        Known?.Remove(_core);
        var connected = _connected;
        _core.Queue(new Work(connected.Release));
        if (_core.Keeper is { } keeper)
        {
            _core.Queue(new Work(keeper.Dispose));
        }
    }

    public ValueTask StopAsync(PostErrorCode code, string reason) => Reconnector?.StopAsync(code, reason) ?? ValueTask.CompletedTask;

    /// <summary>There is no room for an association that waits, or nobody any more who could resume it.</summary>
    public void GiveUp()
    {
        var loss = _loss;
        _core.Lifecycle.EndWithoutConnection(new PostException(
            PostErrorReason.Transport,
            $"The connection was lost ({loss?.Message ?? "unknown"}), and the association did not go on over another one in time. ResumptionTimeout "
            + "and MaxInterrupted say for how long, and for how many, that is waited.",
            loss));
    }

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

    private bool CanWait(Carrier carrier, ConnectionFacts facts, TransportException reason) =>
        IsOffered
        && !_core.Lifecycle.IsFlushing
        && ConnectionLoss.IsLoss(reason)
        && carrier.IsHandshakeCompleted
        && (Reconnector is not null
            ? carrier.PeerHello is null || carrier.PeerHello.AssociationId == _core.Id
            : Known!.TryKeep(_core, Party.Of(_identity, facts.RemoteEndPoint)));

    /// <summary>The association is without a connection from now on. Under the lock.</summary>
    private StreamSender[] Interrupt(Carrier carrier, ConnectionFacts facts, TransportException reason)
    {
        _loss = reason;
        _lostAt = _core.Clock.Now;
        _connected = new Waiters(_core.Continuations);
        _core.Detach(facts);

        // Here and not after: what comes with the next connection shall not pass it.
        carrier.Paths.Close(tell: true);
        _core.Events.OnConnectionChanged(new ConnectionChanged(_core.Association, false, Lifecycle.Translate(reason), TimeSpan.Zero));
        var streams = carrier.EndStreams(StreamLost(reason));
        _core.Outbox.OnInterrupted();
        _core.Inbox.OnInterrupted(Known?.Reserve(_core, Party.Of(_identity, facts.RemoteEndPoint), _core.Inbox.UnfinishedBytes) ?? long.MaxValue);
        _core.Timers.Set(_giveUp, _lostAt + _core.Clock.Units(_core.Options.ResumptionTimeout));
        return streams;
    }

    private void AfterInterruption(Carrier carrier, PostErrorCode code, TransportException reason, StreamSender[] streams)
    {
        _core.Log.Interrupted(reason.Reason, reason.Message);
        _core.Instruments.Interrupted(_core.Association.IsInitiator);
        foreach (var stream in streams)
        {
            stream.Notify();
        }

        carrier.LetGo();
        _core.Keeper?.Detach(carrier.Connection);
        _ = carrier.CloseAsync(code, "the connection was lost");
        _core.Wake();
    }

    private PostErrorCode Check(HelloFrame hello) =>
        _core.Inbox.IsPossible(hello.LowestId) ? _core.Outbox.Check(hello.Held) : PostErrorCode.IdError;

    /// <summary>The association goes on over this connection. Under the lock.</summary>
    private void Resume(Carrier carrier, HelloFrame hello)
    {
        carrier.Bind(_core);
        _core.Inbox.OnResumed(hello, carrier.Frames);
        _core.Peer = hello;
        _hasMet = true;
        _core.Attach(carrier);
        carrier.Paths.Open(_core, tell: true);
        _core.Events.OnConnectionChanged(
            new ConnectionChanged(_core.Association, true, null, _core.Clock.Span(_core.Clock.Now - _lostAt)));
        _core.Outbox.GoOn(hello.Held);
        _core.Outbox.OnResumed(carrier.ToldLowest, carrier.Frames);
        _core.Lifecycle.OnResumed(carrier.Frames);
        _core.Timers.Cancel(_giveUp);
        Known?.Release(_core);
    }

    private void AfterResumption(Carrier carrier)
    {
        var gap = _core.Clock.Span(_core.Clock.Now - _lostAt);
        _core.Log.Resumed(gap, carrier.Connection.RemoteEndPoint);
        _core.Instruments.Resumed(_core.Association.IsInitiator);
        carrier.MakeReady();
        _core.Keeper?.Attach(carrier.Connection);
        _connected.Release();
        CheckEnd(carrier);
    }
}
