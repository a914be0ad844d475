using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Ownership;

/// <summary>
/// What the rooms of one association share, whatever connection it has: the owner, the clock, the objects and the rules for them. All of it
/// belongs to the <see cref="Owner"/> but for what says otherwise.
/// </summary>
internal sealed class AssociationState
{
    private readonly TransportDispatcher _dispatcher;
    private int _phase;
    private PostException? _error;

    public AssociationState(
        Association association,
        AssociationFactory factory,
        AssociationOptions options,
        UInt128 id,
        IOwned owned,
        IObjectRequests requests,
        Func<int> backlog)
    {
        Association = association;
        Options = options;
        Id = id;
        _dispatcher = factory.Transport.Dispatcher;
        Continuations = factory.Continuations;
        PipeScheduler = DispatcherPipeScheduler.For(_dispatcher);
        Clock = new Clock(factory.Transport.TimeProvider);
        ClockOrigin = Clock.Now;
        Log = factory.AssociationLog;
        Metrics = factory.Metrics;
        Owner = new AssociationOwner(_dispatcher, Continuations, owned);
        Timers = new TimerQueue(Clock, Owner.Wake);
        Trips = new TripTimes(Clock);
        Outbox = new Outbox(options, Scheduler, Timers, Clock, Trips, Peer, Effects, requests, backlog);
        Inbox = new Inbox(options, Timers, Clock, Peer, Effects, requests);
    }

    public Association Association { get; }

    public AssociationOptions Options { get; }

    /// <summary>Links the connections of the association; zero where it cannot go on over another one.</summary>
    public UInt128 Id { get; }

    /// <summary>Who may use all this. From any thread.</summary>
    public AssociationOwner Owner { get; }

    /// <summary>From any thread.</summary>
    public Clock Clock { get; }

    /// <summary>The zero of the association clock that the peer is told.</summary>
    public long ClockOrigin { get; }

    /// <summary>From any thread.</summary>
    public ILogger Log { get; }

    /// <summary>From any thread.</summary>
    public PostMetrics Metrics { get; }

    public TaskCreationOptions Continuations { get; }

    public PipeScheduler PipeScheduler { get; }

    public TimerQueue Timers { get; }

    /// <summary>What the round trips say.</summary>
    public TripTimes Trips { get; }

    public SendScheduler Scheduler { get; } = new();

    /// <summary>What the peer said in its HELLO; before that, what is safe to assume.</summary>
    public PeerTerms Peer { get; } = new();

    /// <summary>What the rules of objects want done.</summary>
    public ObjectEffects Effects { get; } = new();

    public Outbox Outbox { get; }

    public Inbox Inbox { get; }

    /// <summary>May be read from any thread.</summary>
    public AssociationPhase Phase
    {
        get => (AssociationPhase)Volatile.Read(ref _phase);
        set => Volatile.Write(ref _phase, (int)value);
    }

    /// <summary>Why the association ended; null when it was closed in order, or still lives. May be read from any thread.</summary>
    public PostException? Error
    {
        get => Volatile.Read(ref _error);
        set => Volatile.Write(ref _error, value);
    }

    public bool IsSending => Phase == AssociationPhase.Open;

    public bool IsClosed => Phase == AssociationPhase.Closed;

    public PostException WhyNotSending() => Error ?? new PostException(
        PostErrorReason.AssociationEnded, "The association is closed, or being closed, and takes nothing new to send.");

    public void ThrowIfNotSending()
    {
        if (!IsSending)
        {
            throw WhyNotSending();
        }
    }

    public void ThrowIfClosed()
    {
        if (IsClosed)
        {
            throw Error ?? new PostException(PostErrorReason.AssociationEnded, "The association is closed.");
        }
    }

    /// <summary>Queues work on the dispatcher, apart from the owner.</summary>
    public void Queue(IThreadPoolWorkItem work) => _dispatcher.Queue(work);

    /// <summary>Likewise.</summary>
    public void Queue(Action action) => _dispatcher.Queue(new Work(action));

    /// <summary>Completes where the work of associations runs, apart from whoever calls.</summary>
    public Task ElsewhereAsync()
    {
        var turn = new TaskCompletionSource(Continuations);
        Queue(turn.SetResult);
        return turn.Task;
    }
}
