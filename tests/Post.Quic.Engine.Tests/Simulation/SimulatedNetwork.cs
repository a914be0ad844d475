using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Tests.Crypto;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>
/// The network between one client and one server, in virtual time: delay, loss, corruption, bandwidth, a NAT before
/// the client. Either side may have further links with addresses, conditions and a fate of their own. What happens follows from the
/// seed alone.
/// </summary>
internal sealed class SimulatedNetwork
{
    private readonly PriorityQueue<SimulatedDatagram, (long Time, long Order)> _underway = new();
    private readonly Dictionary<NetworkAddress, NetworkAddress> _outside = [];
    private readonly Dictionary<NetworkAddress, NetworkAddress> _inside = [];
    private readonly SeededRandomSource _random;
    private readonly SimulatedLink _common = new();
    private readonly Dictionary<NetworkAddress, SimulatedLink> _links = [];
    private long _order;
    private int _sentByClient;
    private int _sentByServer;
    private ushort _nextPort = 40_000;

    public SimulatedNetwork(ulong seed)
    {
        _random = new SeededRandomSource((int)seed);
    }

    /// <summary>What holds where neither address has a link of its own.</summary>
    public LinkConditions FromClient
    {
        get => _common.FromClient;
        set => _common.FromClient = value;
    }

    public LinkConditions FromServer
    {
        get => _common.FromServer;
        set => _common.FromServer = value;
    }

    /// <summary>Both directions at once.</summary>
    public LinkConditions Conditions
    {
        set => _common.Conditions = value;
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

    /// <summary>
    /// Gives an address of the client's or of the server's a link of its own. What goes between two that have one takes the client's.
    /// </summary>
    public SimulatedLink AddLink(in NetworkAddress address, LinkConditions conditions)
    {
        var link = new SimulatedLink { Conditions = conditions };
        _links.Add(address, link);
        return link;
    }

    /// <summary>The client's NAT takes a new port (and perhaps address) for everything that goes out from now on.</summary>
    public void Rebind(uint? newAddress = null)
    {
        foreach (NetworkAddress inside in _outside.Keys.ToArray())
        {
            Rebind(inside, newAddress);
        }
    }

    /// <summary>The same for one address of the client's.</summary>
    public void Rebind(in NetworkAddress inside, uint? newAddress)
    {
        NetworkAddress old = Translate(inside);
        NetworkAddress next = newAddress is { } address
            ? NetworkAddress.FromIPv4(address, _nextPort++)
            : old.WithPort(_nextPort++);
        _ = _inside.Remove(old);
        _outside[inside] = next;
        _inside[next] = inside;
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
            Index = _sentByClient++,
        };
        if (DeadInterfaces.Contains(local))
        {
            Dropped++;
            return;
        }

        Send(datagram, LinkOf(local, remote), now);
    }

    public void SendFromServer(in NetworkAddress local, in NetworkAddress remote, EcnCodepoint ecn, byte[] payload, long now)
    {
        var datagram = new SimulatedDatagram(local, remote, ecn, payload) { Index = _sentByServer++ };
        Send(datagram, _inside.TryGetValue(remote, out NetworkAddress inside) ? LinkOf(inside, local) : _common, now);
    }

    /// <summary>An attacker's datagram, which may bear any address.</summary>
    public void Inject(SimulatedDatagram datagram, long arrival) => _underway.Enqueue(datagram, (arrival, _order++));

    /// <summary>Takes out what arrives at <paramref name="now"/>; null if it is lost at the NAT.</summary>
    public bool TryDeliver(long now, out SimulatedDatagram datagram)
    {
        while (_underway.TryPeek(out SimulatedDatagram? next, out (long Time, long Order) at) && at.Time <= now)
        {
            _ = _underway.Dequeue();
            if (next.Link is { IsDead: true })
            {
                Dropped++;
                continue;
            }

            if (next.FromClient)
            {
                Delivered++;
                next.Link?.OnDelivered(next);
                datagram = next;
                return true;
            }

            if (_inside.TryGetValue(next.To, out NetworkAddress inside) && !DeadInterfaces.Contains(inside))
            {
                Delivered++;
                next.Link?.OnDelivered(next);
                datagram = next with { To = inside };
                return true;
            }

            Dropped++;
        }

        datagram = null!;
        return false;
    }

    private SimulatedLink LinkOf(in NetworkAddress client, in NetworkAddress server) =>
        _links.TryGetValue(client, out SimulatedLink? link) || _links.TryGetValue(server, out link) ? link : _common;

    private void Send(SimulatedDatagram datagram, SimulatedLink link, long now)
    {
        LinkConditions conditions = datagram.FromClient ? link.FromClient : link.FromServer;
        datagram = datagram with { Link = link };
        Sniffer?.Invoke(datagram);
        switch (Fate?.Invoke(datagram) ?? DatagramFate.Deliver)
        {
            case DatagramFate.Drop:
                Dropped++;
                return;
            case DatagramFate.Duplicate:
                Carry(Copy(datagram), conditions, now);
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

        Carry(datagram, conditions, now);
    }

    private static SimulatedDatagram Copy(SimulatedDatagram datagram) =>
        datagram with { Payload = [.. datagram.Payload] };

    private void Carry(SimulatedDatagram datagram, LinkConditions conditions, long now)
    {
        SimulatedLink.Direction link = datagram.FromClient ? datagram.Link!.Up : datagram.Link!.Down;
        if (datagram.Link.IsDead
            || datagram.Payload.Length > conditions.Mtu
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
}
