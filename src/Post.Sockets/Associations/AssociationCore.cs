using Microsoft.Extensions.Logging;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Keeping;
using Post.Sockets.Associations.Resumption;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations;

/// <summary>
/// What the rooms of one association share: the lock, the clock, the pump that runs serially on the dispatcher, and the lists of
/// what is to be done outside the lock. The lock is held for state only, never across I/O or the application's code. All that belongs to
/// one connection stands in its <see cref="Connections.Carrier"/>; what is here outlives it.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "Its token source has no timer and no registrations left when the association is over.")]
internal sealed class AssociationCore : IThreadPoolWorkItem
{
    private readonly CancellationTokenSource _ended = new();
    private readonly TransportDispatcher _dispatcher;
    private readonly TaskCompletionSource _published;
    private readonly List<TransportAction> _later = [];
    private readonly List<OutboundObject> _publish = [];
    private readonly List<OutboundObject> _notify = [];
    private readonly List<OutboundObject> _release = [];
    private readonly List<ObjectSource> _interrupts = [];
    private readonly List<TransportAction> _running = [];
    private readonly List<SendWaiter> _told = [];
    private int _signal;
    private long _streamOrder;
    private long _connectedAt;
    private ConnectionFacts _lastFacts = new(PeerIdentity.Anonymous, null, null, TransportCapabilities.None, false);

    public AssociationCore(Association association, AssociationFactory host, AssociationOptions options, UInt128 id)
    {
        Association = association;
        Options = options;
        Id = id;
        _dispatcher = host.Transport.Dispatcher;
        Continuations = host.Continuations;
        _published = new TaskCompletionSource(Continuations);
        PipeScheduler = DispatcherPipeScheduler.For(_dispatcher);
        Clock = new Clock(host.Transport.TimeProvider);
        ClockOrigin = Clock.Now;
        Log = host.AssociationLog;
        Instruments = host.Instruments;
        Timers = new TimerQueue(Clock, Wake);
        Outbox = new Outbox(this);
        Reports = new OutboundReports(this, Outbox);
        Admission = new SendAdmission(this);
        Sender = new SendPump(this);
        Inbox = new Inbox(this);
        Events = new EventHub(this);
        Delivery = new DeliveryPump(this);
        Lifecycle = new Lifecycle(this);
        Continuity = new Continuity(this);
        Trips = new RoundTrips(this);
    }

    public Association Association { get; }

    /// <summary>Links the connections of the association; zero where it cannot go on over another one.</summary>
    public UInt128 Id { get; }

    public Lock Gate { get; } = new();

    /// <summary>The connection that there is; null while the association is interrupted. It changes under the lock only.</summary>
    public Carrier? Carrier { get; private set; }

    /// <summary>What is known of the connection, or, while there is none, of the last one.</summary>
    public ConnectionFacts Facts => Carrier?.Facts() ?? _lastFacts;

    /// <summary>The paths there are; none while there is no connection.</summary>
    public IReadOnlyList<PostPath> Paths => Carrier?.Connection.GetPaths() ?? [];

    /// <summary>How long the present connection has been there.</summary>
    public long ConnectedFor => Clock.Now - _connectedAt;

    public AssociationOptions Options { get; }

    public Clock Clock { get; }

    /// <summary>The zero of the association clock that the peer is told.</summary>
    public long ClockOrigin { get; }

    public ILogger Log { get; }

    public PostInstruments Instruments { get; }

    public TaskCreationOptions Continuations { get; }

    public System.IO.Pipelines.PipeScheduler PipeScheduler { get; }

    public SendScheduler Scheduler { get; } = new();

    public TimerQueue Timers { get; }

    public Outbox Outbox { get; }

    public OutboundReports Reports { get; }

    public SendAdmission Admission { get; }

    public SendPump Sender { get; }

    public Inbox Inbox { get; }

    public EventHub Events { get; }

    public DeliveryPump Delivery { get; }

    public Lifecycle Lifecycle { get; }

    /// <summary>How it goes on when its connection is lost.</summary>
    public Continuity Continuity { get; }

    /// <summary>Follows the machine; null where the transport has no interfaces to follow, and on the listener.</summary>
    public PathKeeper? Keeper { get; set; }

    /// <summary>What the peer said in its HELLO; before that, what is safe to assume.</summary>
    public HelloFrame Peer { get; set; } = new() { ReceiveBudget = 1024 * 1024 };

    public AssociationState State { get; set; }

    public bool IsSending => State == AssociationState.Open;

    public bool IsClosed => State == AssociationState.Closed;

    /// <summary>Completes when the association is over and every object that it took has its end, and its events.</summary>
    public Task Published => _published.Task;

    /// <summary>Canceled when the association is over.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>What the round trips say.</summary>
    public RoundTrips Trips { get; }

    public void ThrowIfNotSending()
    {
        if (State != AssociationState.Open)
        {
            throw WhyNotSending();
        }
    }

    public PostException WhyNotSending() => Lifecycle.Error ?? new PostException(
        PostErrorReason.AssociationEnded, "The association is closed, or being closed, and takes nothing new to send.");

    public void ThrowIfClosed()
    {
        if (IsClosed)
        {
            throw Lifecycle.Error ?? new PostException(PostErrorReason.AssociationEnded, "The association is closed.");
        }
    }

    /// <summary>A connection takes over. Under the lock.</summary>
    public void Attach(Carrier carrier)
    {
        Carrier = carrier;
        _connectedAt = Clock.Now;
        Trips.OnAnotherWay();
    }

    /// <summary>The connection is lost. Under the lock.</summary>
    public void Detach(ConnectionFacts facts)
    {
        _lastFacts = facts;
        Carrier = null;
    }

    public void Later(TransportAction action) => _later.Add(action);

    public void PublishLater(OutboundObject item)
    {
        if (!item.IsPublishing)
        {
            item.IsPublishing = true;
            _publish.Add(item);
        }
    }

    public void ReleaseLater(OutboundObject item) => _release.Add(item);

    public void NotifyLater(OutboundObject item) => _notify.Add(item);

    public void InterruptLater(ObjectSource source) => _interrupts.Add(source);

    public long NextStreamOrder() => _streamOrder++;

    /// <summary>Queues work on the dispatcher.</summary>
    public void Queue(IThreadPoolWorkItem work) => _dispatcher.Queue(work);

    /// <summary>Runs the pump soon; once, however often it is asked for meanwhile.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _signal, 2) == 0)
        {
            _dispatcher.Queue(this);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        do
        {
            Volatile.Write(ref _signal, 1);
            try
            {
                RunOnce();
            }
            catch (Exception exception)
            {
                // A defect of ours or of a transport must not leave the association hanging without a word.
                Log.PumpFailed(exception);
                Lifecycle.Abort(PostErrorCode.InternalError, new PostException(
                    PostErrorReason.Transport, $"The association failed: {exception.Message}", exception));
            }
        }
        while (Interlocked.CompareExchange(ref _signal, 0, 1) != 1);
    }

    public void OnPathChanged(PostPath path, PostPathChange change, IReadOnlyList<PostPath> paths)
    {
        Log.PathChanged(change, path.Id, path.LocalEndPoint, path.RemoteEndPoint, path.State, path.Mtu);
        Instruments.PathChanged(change);
        Events.OnPathChanged(path, change, paths);
    }

    public void OnHandshakeCompleted(Carrier carrier)
    {
        Continuity.OnHandshakeCompleted(carrier);
        Keeper?.Attach(carrier.Connection);
        Lifecycle.OnHandshakeCompleted();
        Wake();
    }

    public void OnEarlyDataRejected(Carrier carrier)
    {
        bool reopens;
        lock (Gate)
        {
            if (Carrier != carrier)
            {
                return;
            }

            foreach (var item in Outbox.EarlyObjects())
            {
                Sender.Restarts.StartAnew(item);
            }

            reopens = carrier.Control.OnEarlyDataRejected();
        }

        if (reopens)
        {
            Lifecycle.ReopenControl(carrier);
        }

        Wake();
    }

    /// <summary>Whoever waits for the association waits no more; the last step of its life.</summary>
    public void EndWaits() => _ended.Cancel();

    public void DisposeTimers() => Timers.Dispose();

    private void RunOnce()
    {
        var now = Clock.Now;
        Trips.Measure(now);
        lock (Gate)
        {
            Timers.RunDue(now);
        }

        Sender.Run();
        Carrier?.Control.Run();
        RunLater();
        Delivery.Run();
        long next;
        lock (Gate)
        {
            Events.Watch();
            next = Timers.Next;
        }

        if (!IsClosed)
        {
            Timers.Arm(next, now);
        }
    }

    private void RunLater()
    {
        while (true)
        {
            OutboundObject[] publish = [];
            OutboundObject[] notify = [];
            OutboundObject[] release = [];
            ObjectSource[] interrupts = [];
            lock (Gate)
            {
                if (_later.Count + _publish.Count + _notify.Count + _release.Count + _interrupts.Count == 0)
                {
                    break;
                }

                _running.Clear();
                _running.AddRange(_later);
                _later.Clear();
                Take(_publish, ref publish);
                Take(_notify, ref notify);
                Take(_release, ref release);
                Take(_interrupts, ref interrupts);
            }

            foreach (var action in _running)
            {
                try
                {
                    action.Run();
                }
                catch (Exception exception) when (exception is TransportException or ObjectDisposedException)
                {
                    // The connection ended; its event is on the way.
                }
            }

            foreach (var source in interrupts)
            {
                try
                {
                    source.Interrupt();
                }
                catch (Exception exception)
                {
                    // The object has its end already; what its source does about that changes nothing.
                    Log.SourceInterruptFailed(exception);
                }
            }

            foreach (var item in release)
            {
                Release(item);
            }

            foreach (var item in notify)
            {
                item.Notify();
            }

            foreach (var item in publish)
            {
                Publish(item);
            }
        }

        bool isPublished;
        lock (Gate)
        {
            Outbox.TakeInWaiting(_told);
            Lifecycle.CheckDrained();
            isPublished = IsClosed && Outbox.Room.IsEmpty;
        }

        if (isPublished)
        {
            _published.TrySetResult();
        }

        foreach (var waiter in _told)
        {
            waiter.Notify();
        }

        _told.Clear();
    }

    private static void Take<T>(List<T> list, ref T[] taken)
    {
        if (list.Count > 0)
        {
            taken = [.. list];
            list.Clear();
        }
    }

    private void Publish(OutboundObject item)
    {
        var elapsed = Clock.Span(Clock.Now - item.SentAt);
        var receipt = new Receipt(item, item.End!.Value, item.EndReason, item.Error, elapsed);
        bool isFree;
        lock (Gate)
        {
            isFree = !item.IsWaitingForSource;
            item.IsReleasePending = !isFree;
        }

        if (isFree)
        {
            Release(item);
        }

        lock (Gate)
        {
            item.Publish(receipt);
            Outbox.Room.Release(item);
        }

        Instruments.Ended(item, receipt);
        Log.ObjectEnded(item.Id, receipt.Outcome, receipt.Reason, elapsed);
        item.Notify();
        Events.OnObjectEnded(item, receipt);
    }

    private void Release(OutboundObject item)
    {
        try
        {
            item.Source?.Release(item.End == ObjectOutcome.Failed ? item.Error : null);
        }
        catch (Exception exception)
        {
            Log.SourceReleaseFailed(item.Id, exception);
        }
    }
}
