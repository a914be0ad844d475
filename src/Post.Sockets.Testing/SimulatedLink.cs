namespace Post.Sockets.Testing;

/// <summary>One direction of a path: bits leave one after the other, travel, and arrive, or do not.</summary>
internal sealed class SimulatedLink
{
    private readonly InMemoryNetwork _network;
    private readonly Random _random;
    private readonly Queue<(long Due, Packet Packet)> _packets = new();
    private readonly Queue<(long Due, LinkMessage Message)> _messages = new();
    private readonly List<LinkMessage> _held = [];
    private readonly HeadEntry _nextPacket;
    private readonly HeadEntry _nextMessage;
    private long _busyUntil;
    private long _lastPacketDue;
    private long _lastMessageDue;

    public SimulatedLink(InMemoryNetwork network, InMemoryLinkOptions settings)
    {
        _network = network;
        _random = network.NextRandom();
        Settings = settings;
        _nextPacket = new HeadEntry(this, isPackets: true);
        _nextMessage = new HeadEntry(this, isPackets: false);
    }

    public InMemoryLinkOptions Settings { get; set; }

    public bool IsUp { get; private set; } = true;

    /// <summary>The path as its receiving end sees it; set once both ends exist.</summary>
    public PathEnd ReceiverPath { get; set; } = null!;

    /// <summary>Bytes that wait in front of the link, or are just leaving.</summary>
    public long Backlog
    {
        get
        {
            long waiting = _busyUntil - _network.Clock.NowTicks;
            return waiting <= 0 ? 0 : (long)(waiting * (double)Settings.BitsPerSecond / (8 * TimeSpan.TicksPerSecond));
        }
    }

    /// <summary>When no more than so many bytes will wait.</summary>
    public long WhenBacklogIs(int bytes) => _busyUntil - TransmissionTicks(bytes) + 1;

    public void Send(Packet packet)
    {
        long now = _network.Clock.NowTicks;
        InMemoryLinkOptions settings = Settings;
        bool overflows = settings.BitsPerSecond > 0 && Backlog + packet.WireSize > settings.QueueLimit;
        if (!IsUp || overflows)
        {
            ScheduleLoss(packet, now);
            return;
        }

        _busyUntil = Math.Max(now, _busyUntil) + TransmissionTicks(packet.WireSize);
        if (settings.Loss > 0 && _random.NextDouble() < settings.Loss)
        {
            ScheduleLoss(packet, _busyUntil);
            return;
        }

        long due = _busyUntil + TravelTicks(settings);
        if (settings.Reorder > 0 && _random.NextDouble() < settings.Reorder)
        {
            packet.ArrivesOnFire = true;
            _network.Clock.Schedule(packet, due + settings.ReorderDelay.Ticks);
            return;
        }

        _lastPacketDue = Math.Max(_lastPacketDue, due);
        _packets.Enqueue((_lastPacketDue, packet));
        if (!_nextPacket.IsScheduled)
        {
            _network.Clock.Schedule(_nextPacket, _lastPacketDue);
        }
    }

    public void Send(LinkMessage message)
    {
        if (!IsUp)
        {
            Hold(message);
            return;
        }

        long due = _network.Clock.NowTicks + TravelTicks(Settings);
        if (Settings.Loss > 0 && message.Kind != LinkMessageKind.Acknowledge && _random.NextDouble() < Settings.Loss)
        {
            // Repeated after about a round trip. (What acknowledges a packet is repeated with the next packet.)
            _network.Clock.Schedule(new LateMessage(this, message), due + (2 * Settings.Delay.Ticks));
            return;
        }

        _lastMessageDue = Math.Max(_lastMessageDue, due);
        _messages.Enqueue((_lastMessageDue, message));
        if (!_nextMessage.IsScheduled)
        {
            _network.Clock.Schedule(_nextMessage, _lastMessageDue);
        }
    }

    public void SetUp(bool up)
    {
        IsUp = up;
        if (up)
        {
            foreach (LinkMessage message in TakeHeld())
            {
                Send(message);
            }
        }
    }

    /// <summary>What waits for the link to come up again, for another path to carry.</summary>
    public LinkMessage[] TakeHeld()
    {
        LinkMessage[] held = [.. _held];
        _held.Clear();
        return held;
    }

    /// <summary>The sender of a packet will learn, about when later packets' acknowledgements would tell it, that it was lost.</summary>
    public void ScheduleLoss(Packet packet, long departure)
    {
        packet.ArrivesOnFire = false;
        _network.Clock.Schedule(packet, departure + packet.Path.LossDelayTicks);
    }

    public void Arrive(Packet packet)
    {
        // What was under way when the link went down is lost as well.
        if (!IsUp)
        {
            ScheduleLoss(packet, _network.Clock.NowTicks);
            return;
        }

        ReceiverPath.Owner.Receive(packet, ReceiverPath, _network.Clock.GetTimestamp());
    }

    private long TransmissionTicks(int bytes) =>
        Settings.BitsPerSecond == 0 ? 0 : (long)(bytes * 8.0 * TimeSpan.TicksPerSecond / Settings.BitsPerSecond);

    private long TravelTicks(InMemoryLinkOptions settings) =>
        settings.Delay.Ticks + (settings.Jitter > TimeSpan.Zero ? _random.NextInt64(settings.Jitter.Ticks + 1) : 0);

    private void Hold(in LinkMessage message)
    {
        switch (message.Kind)
        {
            case LinkMessageKind.Acknowledge:
                // The packet arrived and its sender will not know: it sends the bytes again, and the receiver knows them.
                var packet = (Packet)message.Target!;
                packet.Path.Out.ScheduleLoss(packet, _network.Clock.NowTicks);
                break;
            case LinkMessageKind.Ping:
                break;
            default:
                PathEnd sender = ReceiverPath.Path.AtClient == ReceiverPath ? ReceiverPath.Path.AtServer : ReceiverPath.Path.AtClient;
                if (sender.Owner.HasOther(sender))
                {
                    // It is repeated on another path when its answer is overdue.
                    _network.Clock.Schedule(
                        new LateMessage(sender.Owner.FindOther(sender)!.Out, message), _network.Clock.NowTicks + (2 * sender.LossDelayTicks));
                    break;
                }

                _held.Add(message);
                break;
        }
    }

    private void FireHead(bool isPackets)
    {
        lock (_network.Gate)
        {
            long now = _network.Clock.NowTicks;
            if (isPackets)
            {
                while (_packets.TryPeek(out (long Due, Packet Packet) head) && head.Due <= now)
                {
                    _packets.Dequeue();
                    Arrive(head.Packet);
                }

                if (_packets.TryPeek(out (long Due, Packet Packet) next))
                {
                    _network.Clock.Schedule(_nextPacket, next.Due);
                }

                return;
            }

            while (_messages.TryPeek(out (long Due, LinkMessage Message) head) && head.Due <= now)
            {
                _messages.Dequeue();
                Arrive(head.Message);
            }

            if (_messages.TryPeek(out (long Due, LinkMessage Message) following))
            {
                _network.Clock.Schedule(_nextMessage, following.Due);
            }
        }
    }

    private void Arrive(in LinkMessage message)
    {
        if (!IsUp)
        {
            Hold(message);
            return;
        }

        ReceiverPath.Owner.Receive(message, ReceiverPath);
    }

    private sealed class HeadEntry(SimulatedLink link, bool isPackets) : ClockEntry
    {
        public override void Fire() => link.FireHead(isPackets);
    }

    private sealed class LateMessage(SimulatedLink link, LinkMessage message) : ClockEntry
    {
        public override void Fire()
        {
            lock (link._network.Gate)
            {
                link.Arrive(message);
            }
        }
    }
}
