using System.Collections.Concurrent;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

/// <summary>
/// Holds the rules of the seam (docs/architecture.md): nothing of a transport is called under a lock of an association, and no event comes
/// under a lock of the transport, or while another one of the same connection is under way. It knows the associations whose connections over
/// the guarded transport are among the latest.
/// </summary>
internal sealed class SeamGuard
{
    // Enough for every world but a flood, where looking at each for each would take the square of its time.
    private const int MaxKnown = 100;

    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private PostConnection[] _connections = [];
    private long _calls;

    /// <summary>Calls into the seam that were looked at while an association was known.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>Calls and events that broke a rule, each with its stack.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    /// <summary>The rank of the datagram that was handed over last.</summary>
    public TransportPriority LastDatagram { get; set; }

    /// <summary>Whether the current thread holds a lock of the transport; null where that cannot be known.</summary>
    public Func<bool>? IsTransportLocked { get; init; }

    /// <summary>From now on the locks of this connection's association are looked at.</summary>
    public void Learn(TransportEvents events)
    {
        if (events is ConnectionEvents { Connection: var connection })
        {
            lock (_gate)
            {
                _connections = [.. _connections.TakeLast(MaxKnown - 1), connection];
            }
        }
    }

    /// <summary>A call into the seam begins.</summary>
    public void Check(string member)
    {
        var connections = Volatile.Read(ref _connections);
        if (connections.Length > 0)
        {
            Interlocked.Increment(ref _calls);
        }

        foreach (var connection in connections)
        {
            if (connection.User?.State is { } state
                && (state.Owner.Gate.IsHeldByCurrentThread || state.Outbox.Room.Gate.IsHeldByCurrentThread))
            {
                _violations.Enqueue($"{member} under the lock of an association:{Environment.NewLine}{Environment.StackTrace}");
                return;
            }
        }
    }

    /// <summary>An event begins; <see cref="EndEvent"/> follows.</summary>
    /// <param name="member">Which.</param>
    /// <param name="underWay">Events of the connection that are under way.</param>
    public void BeginEvent(string member, ref int underWay)
    {
        if (Interlocked.Increment(ref underWay) > 1)
        {
            _violations.Enqueue($"{member} while another event is under way:{Environment.NewLine}{Environment.StackTrace}");
        }

        if (IsTransportLocked?.Invoke() == true)
        {
            _violations.Enqueue($"{member} under the lock of the transport:{Environment.NewLine}{Environment.StackTrace}");
        }
    }

    public static void EndEvent(ref int underWay) => Interlocked.Decrement(ref underWay);

    public void AssertKept()
    {
        Assert.IsEmpty(_violations, $"{_violations.Count} times the rules of the seam were broken, among them {_violations.FirstOrDefault()}");
    }
}
