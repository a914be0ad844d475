using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>
/// Everything one end of a connection sends: it fills packets with what is most urgent at the moment a link takes them, not
/// earlier, and cares for what was lost.
/// </summary>
internal sealed class InMemorySender
{
    // A frame smaller than this at the end of a packet costs more than it brings.
    private const int WorthwhileRoom = 16;

    /// <summary>Datagrams that may wait; against callers that never look at <see cref="TransportDatagramResult.Full"/>.</summary>
    private const int MaxQueuedDatagrams = 1024;

    private readonly InMemoryConnection _connection;
    private readonly IndexedHeap<InMemorySendHalf, SendRank, InMemorySendHalf.Slot> _streams = new();
    private readonly IndexedHeap<QueuedDatagram, SendRank, QueuedDatagram.Slot> _datagrams = new();
    private readonly List<InMemorySendHalf> _withoutCredit = [];
    private readonly WakeEntry _wake;
    private readonly FlushItem _flush;
    private Packet? _inFlight;
    private Packet? _open;
    private bool _flushQueued;
    private long _turn;
    private long _datagramOrder;
    private long _creditUsed;
    private long _creditLimit;

    public InMemorySender(InMemoryConnection connection, long creditLimit)
    {
        _connection = connection;
        _creditLimit = creditLimit;
        _wake = new WakeEntry(this);
        _flush = new FlushItem(this);
    }

    public InMemoryNetwork Network => _connection.Network;

    public TransportException? Failure => _connection.Failure;

    public bool WritesCompleteWhenSent => _connection.Has(TransportCapabilities.WritesCompleteWhenSent);

    public bool HasReliableReset => _connection.Has(TransportCapabilities.ReliableReset);

    public long Credit => _creditLimit - _creditUsed;

    /// <summary>Without priorities all rank the same and take turns.</summary>
    public TransportPriority RankOf(in TransportPriority priority) => _connection.Has(TransportCapabilities.Priorities)
        ? priority
        : new TransportPriority(0, TransportPriority.NoDeadline, true, 0);

    public void UseCredit(int bytes) => _creditUsed += bytes;

    /// <summary>Lets a stream stand in line, if it has something to send, where it belongs now.</summary>
    public void Activate(InMemorySendHalf stream)
    {
        if (!stream.HasWork || Failure is not null)
        {
            _streams.Remove(stream);
            return;
        }

        if (stream.HeapIndex < 0)
        {
            // Who comes anew takes the turn after those who stand in line already. Those that do not take turns share one, in their order,
            // until somebody else takes the next: so what takes turns does not wait for ever beside them.
            stream.Turn = stream.Rank.Incremental ? ++_turn : _turn;
        }

        _streams.AddOrUpdate(stream, stream.Place);
    }

    public TransportDatagramResult TrySend(ReadOnlySpan<byte> payload, in TransportPriority priority, long token)
    {
        if (payload.Length > Packet.MaxDatagram)
        {
            return TransportDatagramResult.TooLarge;
        }

        if (_datagrams.Count >= MaxQueuedDatagrams)
        {
            DropExpiredDatagrams();
            if (_datagrams.Count >= MaxQueuedDatagrams)
            {
                return TransportDatagramResult.Full;
            }
        }

        QueuedDatagram datagram = Network.RentDatagram();
        datagram.Fill(payload, RankOf(priority), priority.Deadline, token, ++_datagramOrder);
        _datagrams.Add(datagram, datagram.Place);
        Pump();
        return TransportDatagramResult.Queued;
    }

    /// <summary>All of a stream has left for the first time.</summary>
    public void OnEndSent(InMemoryStream stream) => _connection.ReportSent(stream);

    /// <summary>Sends as long as there is something to send and a path that takes it.</summary>
    public void Pump()
    {
        if (Failure is not null)
        {
            return;
        }

        while (_streams.Count + _datagrams.Count > 0)
        {
            if (_open is null)
            {
                if (_connection.PickPath() is not { } path)
                {
                    ArmWake();
                    return;
                }

                _open = Network.RentPacket();
                _open.Open(this, path);
                _open.IsEarlyData = !_connection.IsHandshakeCompleted;
            }

            FillOpen(_open);
        }

        if (_open is not null && !_flushQueued)
        {
            // What else is written at this moment shall share the packet.
            _flushQueued = true;
            Network.Clock.EnqueueLate(_flush);
        }
    }

    public void SendReset(InMemorySendHalf stream, long code, long size, long reliableSize)
    {
        TransmitOpen();
        _connection.Tell(new LinkMessage(LinkMessageKind.Reset, stream, code, size, reliableSize));
    }

    public void OnCredit(long limit)
    {
        if (limit <= _creditLimit)
        {
            return;
        }

        _creditLimit = limit;
        foreach (InMemorySendHalf stream in _withoutCredit)
        {
            Activate(stream);
        }

        _withoutCredit.Clear();
        Pump();
    }

    public void OnAcknowledged(Packet packet)
    {
        Unlink(packet);
        packet.Path.OnAcknowledged(packet);
        _connection.OnPathAnswers(packet.Path);
        if (Failure is null)
        {
            foreach (ref readonly PacketFrame frame in packet.Frames)
            {
                if (frame.Stream is null)
                {
                    _connection.ReportDatagram(frame.Offset, TransportDatagramState.Acknowledged);
                }
                else if (frame.Stream.OnAcknowledged(frame))
                {
                    _connection.ReportAcknowledged(frame.Stream.Stream);
                }
            }
        }

        packet.Release();
        Pump();
    }

    /// <summary>A path answers: what those hold that do not is sent again there at once.</summary>
    public void OnPathAnswers(PathEnd path)
    {
        for (Packet? packet = _inFlight; packet is not null; packet = packet.Next)
        {
            if (packet.Path != path && packet.Path.HasLostInRow && packet is { IsScheduled: true, ArrivesOnFire: false })
            {
                Network.Clock.Schedule(packet, Network.Clock.NowTicks);
            }
        }
    }

    public void OnLost(Packet packet)
    {
        Unlink(packet);
        bool pathFailed = packet.Path.OnLost(packet);
        if (Failure is null)
        {
            foreach (ref readonly PacketFrame frame in packet.Frames)
            {
                if (frame.Stream is not null)
                {
                    frame.Stream.OnLost(packet, frame);
                }
                else
                {
                    _connection.ReportDatagram(frame.Offset, TransportDatagramState.Lost);
                }
            }

            if (pathFailed)
            {
                _connection.OnPathSilent(packet.Path);
            }
        }

        packet.Release();
        Pump();
    }

    /// <summary>The connection ended: what waits is canceled, and what is in flight counts as lost.</summary>
    public void End()
    {
        Network.Clock.Cancel(_wake);
        for (Packet? packet = _inFlight; packet is not null; packet = packet.Next)
        {
            foreach (ref readonly PacketFrame frame in packet.Frames)
            {
                if (frame.Stream is null)
                {
                    _connection.ReportDatagram(frame.Offset, TransportDatagramState.Lost);
                }
            }
        }

        while (_datagrams.TryPeek(out QueuedDatagram? datagram))
        {
            Finish(datagram, TransportDatagramState.Canceled);
        }

        while (_streams.Count > 0)
        {
            _streams.Pop();
        }

        _withoutCredit.Clear();
        _open?.Release();
        _open = null;
    }

    /// <summary>All that was sent early is void: its credit comes back, nothing of it is sent again.</summary>
    public void ForgetEarlyData(long creditLimit)
    {
        // What is in flight is reported when its loss is noticed.
        Packet? inFlight = _inFlight;
        _inFlight = null;
        End();
        _inFlight = inFlight;
        _creditUsed = 0;
        _creditLimit = creditLimit;
    }

    private void FillOpen(Packet packet)
    {
        _ = _streams.TryPeek(out InMemorySendHalf? stream);
        _ = _datagrams.TryPeek(out QueuedDatagram? datagram);
        if (datagram is not null && (stream is null || InMemorySendHalf.Compare(datagram.Rank, stream.Rank) <= 0))
        {
            if (datagram.Deadline < Network.Clock.NowTicks)
            {
                Finish(datagram, TransportDatagramState.Canceled);
            }
            else if (datagram.Length <= packet.Room)
            {
                datagram.Bytes.CopyTo(packet.Append(null, datagram.Token, datagram.Length, isEnd: false));
                Finish(datagram, TransportDatagramState.Sent);
            }
            else
            {
                TransmitOpen();
            }

            return;
        }

        bool hadCredit = stream!.AppendTo(packet);
        if (!hadCredit && stream.NeedsConnectionCredit)
        {
            _streams.Remove(stream);
            _withoutCredit.Add(stream);
        }
        else if (!stream.HasWork)
        {
            _streams.Remove(stream);
        }
        else if (stream.Rank.Incremental && packet.Room < WorthwhileRoom)
        {
            stream.Turn = ++_turn;
            _streams.AddOrUpdate(stream, stream.Place);
        }

        if (packet.Room < WorthwhileRoom)
        {
            TransmitOpen();
        }
    }

    private void TransmitOpen()
    {
        Packet? packet = _open;
        _open = null;
        if (packet is null)
        {
            return;
        }

        if (packet.FrameCount == 0)
        {
            packet.Release();
            return;
        }

        packet.SentAt = Network.Clock.NowTicks;
        Link(packet);
        packet.Path.OnSent(packet);
        packet.Path.Out.Send(packet);
    }

    private void Link(Packet packet)
    {
        packet.Next = _inFlight;
        packet.Previous = null;
        if (_inFlight is not null)
        {
            _inFlight.Previous = packet;
        }

        _inFlight = packet;
    }

    private void Unlink(Packet packet)
    {
        if (packet.Previous is not null)
        {
            packet.Previous.Next = packet.Next;
        }
        else
        {
            _inFlight = packet.Next;
        }

        if (packet.Next is not null)
        {
            packet.Next.Previous = packet.Previous;
        }

        packet.Previous = null;
        packet.Next = null;
    }

    private void ArmWake()
    {
        long when = _connection.WhenAnyPathCanSend();
        if (when >= 0)
        {
            Network.Clock.Schedule(_wake, Math.Max(when, Network.Clock.NowTicks + 1));
        }
    }

    private void DropExpiredDatagrams()
    {
        // The head is the earliest deadline of the most urgent class, so this finds what can be found without a search.
        while (_datagrams.TryPeek(out QueuedDatagram? datagram) && datagram.Deadline < Network.Clock.NowTicks)
        {
            Finish(datagram, TransportDatagramState.Canceled);
        }
    }

    private void Finish(QueuedDatagram datagram, TransportDatagramState state)
    {
        _datagrams.Remove(datagram);
        _connection.ReportDatagram(datagram.Token, state);
        Network.Return(datagram);
    }

    private void Flush()
    {
        lock (Network.Gate)
        {
            _flushQueued = false;
            TransmitOpen();
        }
    }

    private sealed class WakeEntry(InMemorySender sender) : ClockEntry
    {
        public override void Fire()
        {
            lock (sender.Network.Gate)
            {
                sender.Pump();
            }
        }
    }

    private sealed class FlushItem(InMemorySender sender) : IThreadPoolWorkItem
    {
        public void Execute() => sender.Flush();
    }
}
