using System.Collections.Concurrent;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

/// <summary>
/// Holds the rule that nothing of the seam is called under an association's lock (docs/architecture.md): a transport may report while it
/// holds a lock of its own, and the association then takes its lock, so the other order would be a deadlock waiting for its day. It knows
/// the locks of the associations whose connections over the guarded transport are among the latest.
/// </summary>
internal sealed class SeamGuard
{
    // Enough for every world but a flood, where looking at each for each would take the square of its time.
    private const int MaxKnown = 100;

    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private Carrier[] _carriers = [];
    private long _calls;

    /// <summary>Calls into the seam that were looked at while an association was known.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>Calls under a lock, each with its stack.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    /// <summary>From now on the locks of this connection's association are looked at.</summary>
    public void Learn(TransportEvents events)
    {
        if (events is CarrierEvents { Carrier: var carrier })
        {
            lock (_gate)
            {
                _carriers = [.. _carriers.TakeLast(MaxKnown - 1), carrier];
            }
        }
    }

    /// <summary>A call into the seam begins.</summary>
    public void Check(string member)
    {
        var carriers = Volatile.Read(ref _carriers);
        if (carriers.Length > 0)
        {
            Interlocked.Increment(ref _calls);
        }

        foreach (var carrier in carriers)
        {
            if (carrier.Gate.IsHeldByCurrentThread || carrier.Core?.Gate.IsHeldByCurrentThread == true)
            {
                _violations.Enqueue($"{member} under the lock of an association:{Environment.NewLine}{Environment.StackTrace}");
                return;
            }
        }
    }

    public void AssertKept()
    {
        Assert.IsEmpty(_violations, $"{_violations.Count} calls into the seam under a lock, among them {_violations.FirstOrDefault()}");
    }
}
