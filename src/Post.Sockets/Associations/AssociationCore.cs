using System.IO.Pipelines;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Delivery;
using Post.Sockets.Associations.Keeping;
using Post.Sockets.Associations.Lifecycle;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Associations.Streams;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations;

/// <summary>
/// One association put together: its rooms, what they ask of each other upwards, and the order in which the owner does what has become
/// possible. No room knows it.
/// </summary>
internal sealed class AssociationCore : IOwned, IConnectionUser, IObjectRequests
{
    /// <summary>For so long, room gathers for senders that have found the queue full.</summary>
    private static readonly TimeSpan GatheringTime = TimeSpan.FromMilliseconds(2);

    private readonly ObjectEffectRunner _effects;
    private readonly SendPump _pump;
    private readonly RoundTripMeasurements _measurements;
    private TimedAction? _grantAnyhow;
    private bool _isGatheringOver;

    public AssociationCore(Association association, AssociationFactory factory, AssociationOptions options, UInt128 id)
    {
        State = new AssociationState(association, factory, options, id, this, this, () => Events!.Backlog);
        Connection = new CurrentConnection(State.Clock);
        Events = new EventHub(State);
        Delivery = new ObjectDelivery(State, Events);
        _effects = new ObjectEffectRunner(State, Connection, Events);
        _pump = new SendPump(State, Connection);
        _measurements = new RoundTripMeasurements(State, _pump);
        Lifecycle = new AssociationLifecycle(State, Connection, Events, Delivery, _pump);
        Resumption = new AssociationResumption(State, Connection, this, Lifecycle, _pump, _measurements, _effects);
        Streams = new PostStreams(State, Lifecycle, Resumption, Delivery);
        if (association.IsInitiator)
        {
            var reconnector = new Reconnector(State, Connection, this, Lifecycle, Resumption, factory);
            Resumption.Reconnector = reconnector;
            if (factory.Transport.Interfaces is { } machine)
            {
                Resumption.Keeper = new PathKeeper(
                    factory.Transport, machine, association.Local, options.Multipath, factory.AssociationLog, reconnector.Hurry);
            }
        }

        State.Inbox.IsConnectedForLong = () =>
            Connection.Value is not null && Connection.Age >= State.Clock.Units(options.AntecedentTimeout);
    }

    public AssociationState State { get; }

    public CurrentConnection Connection { get; }

    public EventHub Events { get; }

    public ObjectDelivery Delivery { get; }

    public AssociationLifecycle Lifecycle { get; }

    public AssociationResumption Resumption { get; }

    public PostStreams Streams { get; }

    IHelloHandler IConnectionUser.HelloHandler => Resumption;

    bool IConnectionUser.IsPeerGoing => Lifecycle.IsPeerGoing;

    TaskCreationOptions IObjectRequests.Continuations => State.Continuations;

    PipeScheduler IObjectRequests.PipeScheduler => State.PipeScheduler;

    PeerIdentity IObjectRequests.Peer => Connection.Facts.Peer;

    IReadOnlyList<PostPath> IObjectRequests.Paths => Connection.Paths;

    /// <summary>The association begins on its first connection; nothing of it is delivered yet.</summary>
    public void Begin(PostConnection connection, HelloFrame? hello)
    {
        // Nobody else has the association yet, so this is done when it returns.
        State.Owner.Post(new Message(
            static (target, connection, _) => ((AssociationCore)target).Bind((PostConnection)connection!), this, connection));
        if (hello is not null)
        {
            State.Owner.Post(new Message(
                static (target, hello, _) => ((AssociationState)target).Peer.Hello = (HelloFrame)hello!, State, hello));
        }

        Resumption.CheckEnd(connection);
    }

    /// <summary>Sends an object.</summary>
    /// <exception cref="PostException">There is no room for it, or nothing new is taken.</exception>
    public OutboundObject Send(ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties)
    {
        State.ThrowIfNotSending();
        CheckAntecedents(properties);
        var bytes = OutboundObject.HeldBytesOf(memory, source, properties);
        var room = State.Outbox.Room;
        OutboundObject sent;
        bool isOwner;
        lock (room.Gate)
        {
            if (!room.TryTake(bytes, properties.Niceness, out var id))
            {
                throw new PostException(PostErrorReason.QueueFull, room.Explain(bytes));
            }

            sent = Make(id, memory, source, properties, out isOwner);
        }

        GoOn(sent, isOwner);
        return sent;
    }

    /// <summary>Sends an object as soon as there is room for it.</summary>
    public ValueTask<OutboundObject> SendAsync(
        ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<OutboundObject>(cancellationToken);
        }

        if (!State.IsSending)
        {
            return ValueTask.FromException<OutboundObject>(State.WhyNotSending());
        }

        CheckAntecedents(properties);
        var bytes = OutboundObject.HeldBytesOf(memory, source, properties);
        var room = State.Outbox.Room;
        OutboundObject sent;
        bool isOwner;
        lock (room.Gate)
        {
            if (!room.TryTake(bytes, properties.Niceness, out var id))
            {
                var waiter = new SendWaiter(memory, source, properties, State.Continuations);
                room.Add(waiter);
                return WaitAsync(waiter, cancellationToken);
            }

            sent = Make(id, memory, source, properties, out isOwner);
        }

        GoOn(sent, isOwner);
        return ValueTask.FromResult(sent);
    }

    void IOwned.Run()
    {
        var now = State.Clock.Now;
        if (Connection.Value is { } connection && !State.IsClosed)
        {
            _measurements.Measure(connection, now);
        }

        State.Timers.RunDue(now);
        _effects.Run();
        _pump.Run();
        _effects.Run();
        Connection.Value?.Control.Run();
        GrantRoom();
        Lifecycle.Check();
        Delivery.Run();
        Events.Watch();
        if (!State.IsClosed)
        {
            State.Timers.Arm(State.Timers.Next, now);
        }
    }

    public void OnFailed(Exception exception)
    {
        State.Log.PumpFailed(exception);
        Lifecycle.Abort(PostErrorCode.InternalError, new PostException(
            PostErrorReason.Transport, $"The association failed: {exception.Message}", exception));
    }

    PostErrorCode IConnectionUser.OnGoAway(GoAwayFrame frame) => Lifecycle.OnGoAway(frame);

    void IConnectionUser.OnHandshakeCompleted(PostConnection connection) => Lifecycle.OnHandshakeCompleted(connection);

    void IConnectionUser.OnEarlyDataRejected(PostConnection connection)
    {
        if (Connection.Value == connection)
        {
            State.Outbox.OnEarlyDataRejected();
            if (connection.Control.OnEarlyDataRejected())
            {
                Lifecycle.ReopenControl(connection);
            }
        }
    }

    void IConnectionUser.OnControlStreamAcknowledged() => Lifecycle.OnControlStreamAcknowledged();

    void IConnectionUser.OnPathChanged(PostConnection connection, PostPath path, PostPathChange change) =>
        Resumption.Keeper?.OnPath(connection.Transport, path, change);

    void IConnectionUser.OnPeerAddresses(PostConnection connection, FurtherAddresses addresses) =>
        Resumption.Keeper?.OnPeerAddresses(connection.Transport, addresses.Allowed(connection.Transport.RemoteEndPoint));

    ValueTask<bool> IConnectionUser.AcceptStreamAsync(
        PostConnection connection, TransportStream stream, ReadOnlyMemory<byte> bytes, bool isCompleted) =>
        Streams.AcceptAsync(connection, stream, bytes, isCompleted);

    void IObjectRequests.Cancel(OutboundObject item) => State.Owner.Post(new Message(
        static (target, item, _) => ((Outbox)target).OnCancelRequested((OutboundObject)item!), State.Outbox, item));

    void IObjectRequests.Reprioritize(OutboundObject item, int niceness) => State.Owner.Post(new Message(
        static (target, item, niceness) => ((Outbox)target).Reprioritize((OutboundObject)item!, (int)niceness), State.Outbox, item, niceness));

    void IObjectRequests.MarkProcessed(InboundObject item) => State.Owner.Post(new Message(
        static (target, item, _) => ((Inbox)target).OnProcessed((InboundObject)item!), State.Inbox, item));

    void IObjectRequests.Reject(InboundObject item) => State.Owner.Post(new Message(
        static (target, item, _) => ((Inbox)target).OnRejectedByApplication((InboundObject)item!), State.Inbox, item));

    void IObjectRequests.Release(InboundObject item) => State.Owner.Post(new Message(
        static (target, item, _) => ((Inbox)target).OnReleased((InboundObject)item!), State.Inbox, item));

    void IObjectRequests.Start(InboundObject item, long offset) => State.Owner.Post(new Message(
        static (target, item, offset) => ((Inbox)target).OnStartSaid((InboundObject)item!, offset), State.Inbox, item, offset));

    private void Bind(PostConnection connection)
    {
        connection.Bind(this);
        Resumption.Attach(connection, tell: false);
    }

    private void CheckAntecedents(ObjectProperties properties)
    {
        if (properties.Antecedents.Count > 0)
        {
            State.Outbox.Antecedents.Check(properties);
        }
    }

    /// <summary>Makes an object that has got its number, and leaves it to the owner in the order of the numbers. With the room's lock held.</summary>
    private OutboundObject Make(
        long id, ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties, out bool isOwner)
    {
        var made = State.Outbox.Make(id, memory, source, properties);
        State.Metrics.Sent();
        isOwner = State.Owner.EnterOrPost(
            new Message(static (target, item, _) => ((AssociationCore)target).TakeIn((OutboundObject)item!), this, made), isRunDue: true);
        return made;
    }

    private void GoOn(OutboundObject sent, bool isOwner)
    {
        if (isOwner)
        {
            TakeIn(sent);
            State.Owner.Leave(isRunDue: true);
        }
    }

    private void TakeIn(OutboundObject item)
    {
        State.Outbox.TakeIn(item);
        if (!State.IsSending)
        {
            // It came in while the association ended.
            State.Outbox.End(item, ObjectOutcome.Failed, ObjectOutcomeReason.AssociationEnded, State.WhyNotSending());
        }
    }

    private async ValueTask<OutboundObject> WaitAsync(SendWaiter waiter, CancellationToken cancellationToken)
    {
        // The room may have come, or the association ended, before the waiter could be seen.
        State.Owner.Wake();
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (core, waiter) = ((AssociationCore, SendWaiter))state!;
                if (core.State.Outbox.Room.Remove(waiter))
                {
                    core.State.Queue(() => waiter.Cancel(token));

                    // It may have been the one that the others waited behind.
                    core.State.Owner.Wake();
                }
            },
            (this, waiter));
        return await waiter.Completion.ConfigureAwait(false);
    }

    /// <summary>Takes objects in whose senders waited, as far as there is room now.</summary>
    private void GrantRoom()
    {
        var room = State.Outbox.Room;
        var isGathering = false;
        while (room.Waiting > 0)
        {
            SendWaiter? waiter;
            OutboundObject? granted = null;
            lock (room.Gate)
            {
                waiter = room.TakeNext(State.IsSending, !_isGatheringOver, out var id, out isGathering);
                if (waiter is not null && id >= 0)
                {
                    granted = Make(id, waiter.Memory, waiter.Source, waiter.Properties, out _);
                }
            }

            if (waiter is null)
            {
                break;
            }

            if (granted is not null)
            {
                waiter.Grant(granted);
            }
            else
            {
                waiter.Refuse(State.WhyNotSending());
            }
        }

        _isGatheringOver = false;
        if (isGathering)
        {
            // Nothing more may be given back for long.
            _grantAnyhow ??= new TimedAction(_ => _isGatheringOver = true);
            if (!_grantAnyhow.IsSet)
            {
                State.Timers.Set(_grantAnyhow, State.Clock.Now + State.Clock.Units(GatheringTime));
            }
        }
    }
}
