using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Tests.Crypto;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>
/// The network between one client and one server, in virtual time: delay, loss, corruption, bandwidth, a NAT before
/// the client. What happens follows from the seed alone.
/// </summary>
internal sealed class SimulatedNetwork
{
    private readonly PriorityQueue<SimulatedDatagram, (long Time, long Order)> _underway = new();
    private readonly Dictionary<NetworkAddress, NetworkAddress> _outside = [];
    private readonly Dictionary<NetworkAddress, NetworkAddress> _inside = [];
    private readonly SeededRandomSource _random;
    private readonly Link _up = new();
    private readonly Link _down = new();
    private long _order;
    private ushort _nextPort = 40_000;

    public SimulatedNetwork(ulong seed)
    {
        _random = new SeededRandomSource((int)seed);
    }

    public LinkConditions FromClient { get; set; } = new();

    public LinkConditions FromServer { get; set; } = new();

    /// <summary>Both directions at once.</summary>
    public LinkConditions Conditions
    {
        set
        {
            FromClient = value;
            FromServer = value;
        }
    }

    /// <summary>Decides over single datagrams; the rest is up to the conditions.</summary>
    public Func<SimulatedDatagram, DatagramFate>? Fate { get; set; }

    /// <summary>Sees every datagram as it is sent, before anything happens to it.</summary>
    public Action<SimulatedDatagram>? Sniffer { get; set; }

    /// <summary>Local addresses of the client whose interface is dead.</summary>
    public HashSet<NetworkAddress> DeadInterfaces { get; } = [];

    public long Dropped { get; private set; }

    public long Delivered { get; private set; }

    public long NextDelivery => _underway.TryPeek(out _, out (long Time, long Order) at) ? at.Time : long.MaxValue;

    /// <summary>The client's NAT takes a new port (and perhaps address) for everything that goes out from now on.</summary>
    public void Rebind(uint? newAddress = null)
    {
        foreach (NetworkAddress inside in _outside.Keys.ToArray())
        {
            NetworkAddress old = _outside[inside];
            NetworkAddress next = newAddress is { } address
                ? NetworkAddress.FromIPv4(address, _nextPort++)
                : old.WithPort(_nextPort++);
            _ = _inside.Remove(old);
            _outside[inside] = next;
            _inside[next] = inside;
        }
    }

    /// <summary>How the server sees an address of the client's.</summary>
    public NetworkAddress Translate(in NetworkAddress inside)
    {
        if (!_outside.TryGetValue(inside, out NetworkAddress outside))
        {
            _outside[inside] = outside = inside;
            _inside[outside] = inside;
        }

        return outside;
    }

    public void SendFromClient(in NetworkAddress local, in NetworkAddress remote, EcnCodepoint ecn, byte[] payload, long now)
    {
        var datagram = new SimulatedDatagram(Translate(local), remote, ecn, payload)
        {
            FromClient = true,
            Index = _up.Count++,
        };
        if (DeadInterfaces.Contains(local))
        {
            Dropped++;
            return;
        }

        Send(datagram, _up, FromClient, now);
    }

    public void SendFromServer(in NetworkAddress local, in NetworkAddress remote, EcnCodepoint ecn, byte[] payload, long now)
    {
        var datagram = new SimulatedDatagram(local, remote, ecn, payload) { Index = _down.Count++ };
        Send(datagram, _down, FromServer, now);
    }

    /// <summary>An attacker's datagram, which may bear any address.</summary>
    public void Inject(SimulatedDatagram datagram, long arrival) => _underway.Enqueue(datagram, (arrival, _order++));

    /// <summary>Takes out what arrives at <paramref name="now"/>; null if it is lost at the NAT.</summary>
    public bool TryDeliver(long now, out SimulatedDatagram datagram)
    {
        while (_underway.TryPeek(out SimulatedDatagram? next, out (long Time, long Order) at) && at.Time <= now)
        {
            _ = _underway.Dequeue();
            if (next.FromClient)
            {
                Delivered++;
                datagram = next;
                return true;
            }

            if (_inside.TryGetValue(next.To, out NetworkAddress inside) && !DeadInterfaces.Contains(inside))
            {
                Delivered++;
                datagram = next with { To = inside };
                return true;
            }

            Dropped++;
        }

        datagram = null!;
        return false;
    }

    private void Send(SimulatedDatagram datagram, Link link, LinkConditions conditions, long now)
    {
        Sniffer?.Invoke(datagram);
        switch (Fate?.Invoke(datagram) ?? DatagramFate.Deliver)
        {
            case DatagramFate.Drop:
                Dropped++;
                return;
            case DatagramFate.Duplicate:
                Carry(Copy(datagram), link, conditions, now);
                break;
            case DatagramFate.Replay:
                Inject(Copy(datagram), now + conditions.Delay + 1_000_000);
                break;
            case DatagramFate.Truncate:
                datagram = datagram with { Payload = datagram.Payload[..(datagram.Payload.Length / 2)] };
                break;
            case DatagramFate.Corrupt:
                Corrupt(datagram.Payload);
                break;
            case DatagramFate.Deliver:
            default:
                break;
        }

        Carry(datagram, link, conditions, now);
    }

    private static SimulatedDatagram Copy(SimulatedDatagram datagram) =>
        datagram with { Payload = [.. datagram.Payload] };

    private void Carry(SimulatedDatagram datagram, Link link, LinkConditions conditions, long now)
    {
        if (datagram.Payload.Length > conditions.Mtu
            || Chance(conditions.Loss)
            || conditions.IsDarkAt(now))
        {
            Dropped++;
            return;
        }

        if (Chance(conditions.Corruption))
        {
            Corrupt(datagram.Payload);
        }

        long leaves = now;
        if (conditions.Bandwidth != 0)
        {
            long queued = Math.Max(0, link.FreeAt - now) * conditions.Bandwidth / 1_000_000;
            if (queued > conditions.QueueBytes)
            {
                Dropped++;
                return;
            }

            if (conditions.MarkAbove != 0 && queued > conditions.MarkAbove && datagram.Ecn != EcnCodepoint.NotEct)
            {
                datagram = datagram with { Ecn = EcnCodepoint.Ce };
            }

            link.FreeAt = Math.Max(link.FreeAt, now) + (datagram.Payload.Length * 1_000_000L / conditions.Bandwidth);
            leaves = link.FreeAt;
        }

        if (conditions.BleachEcn)
        {
            datagram = datagram with { Ecn = EcnCodepoint.NotEct };
        }

        long arrival = leaves + conditions.Delay + (conditions.Jitter == 0 ? 0 : (long)_random.NextUInt64((ulong)conditions.Jitter));
        if (Chance(conditions.Reordering))
        {
            arrival += conditions.Delay;
        }
        else
        {
            arrival = link.LastArrival = Math.Max(link.LastArrival, arrival);
        }

        _underway.Enqueue(datagram, (arrival, _order++));
        if (Chance(conditions.Duplication))
        {
            _underway.Enqueue(Copy(datagram), (arrival, _order++));
        }
    }

    private bool Chance(double probability) =>
        probability > 0 && _random.NextUInt64() < probability * ulong.MaxValue;

    private void Corrupt(byte[] payload)
    {
        int at = _random.NextInt32(payload.Length);
        payload[at] ^= (byte)(1 << _random.NextInt32(8));
    }

    private sealed class Link
    {
        public int Count { get; set; }

        public long FreeAt { get; set; }

        public long LastArrival { get; set; }
    }
}
