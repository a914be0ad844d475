using Post.Sockets.Associations.Ownership;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Machines;

/// <summary>
/// A machine on a network in virtual time whose process can stand still: stalled, as by SIGSTOP, when packets wait in its socket, or asleep
/// with the whole machine. The network and the other machines go on.
/// </summary>
internal sealed class Machine
{
    private readonly VirtualClock _world;
    private readonly Queue<Action> _waiting = new();
    private readonly List<TaskCompletionSource> _waiters = [];
    private long _slept;
    private long _fellAsleepAt = -1;

    public Machine(VirtualClock world)
    {
        _world = world;
        Time = new MachineTime(this, world);
        Dispatcher = new MachineDispatcher(this, world.Dispatcher);
    }

    /// <summary>What it says of the time of arrival: when the packet came to the machine, or when the process reads it.</summary>
    public bool KnowsArrival { get; init; } = true;

    /// <summary>Its clock stands still while it sleeps, and everything that goes by it: one without a boot clock.</summary>
    public bool ForgetsSleep { get; init; }

    public TimeProvider Time { get; }

    public TransportDispatcher Dispatcher { get; }

    public bool IsStopped { get; private set; }

    /// <summary>What its clock is behind that of the world.</summary>
    public long Behind => ForgetsSleep ? _slept + (_fellAsleepAt < 0 ? 0 : _world.GetTimestamp() - _fellAsleepAt) : 0;

    public PostTransport CreateTransport(InMemoryNetwork network, SeamGuard guard, TransportCapabilities capabilities) =>
        new MachineTransport(new GuardedTransport(network.CreateTransport(capabilities), guard), guard, this);

    /// <summary>Stops for a time.</summary>
    public async Task StopAsync(double milliseconds, bool asleep = false)
    {
        IsStopped = true;
        _fellAsleepAt = asleep ? _world.GetTimestamp() : -1;
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), _world);
        var going = new TaskCompletionSource();
        _world.Dispatcher.Queue(new Work(() =>
        {
            Go();
            going.SetResult();
        }));
        await going.Task;
    }

    /// <summary>Does something now, or when it goes on, in order.</summary>
    public void Do(Action action)
    {
        if (IsStopped || _waiting.Count > 0)
        {
            _waiting.Enqueue(action);
        }
        else
        {
            action();
        }
    }

    public async ValueTask WhileStoppedAsync()
    {
        while (IsStopped)
        {
            var waiter = new TaskCompletionSource();
            _waiters.Add(waiter);
            await waiter.Task.ConfigureAwait(false);
        }
    }

    private void Go()
    {
        if (_fellAsleepAt >= 0)
        {
            _slept += _world.GetTimestamp() - _fellAsleepAt;
            _fellAsleepAt = -1;
        }

        IsStopped = false;
        while (!IsStopped && _waiting.TryDequeue(out var next))
        {
            next();
        }

        TaskCompletionSource[] waiters = [.. _waiters];
        _waiters.Clear();
        foreach (var waiter in waiters)
        {
            waiter.SetResult();
        }
    }

    private sealed class MachineDispatcher(Machine machine, TransportDispatcher inner) : TransportDispatcher
    {
        public override void Queue(IThreadPoolWorkItem work) => machine.Do(() => inner.Queue(work));
    }
}
