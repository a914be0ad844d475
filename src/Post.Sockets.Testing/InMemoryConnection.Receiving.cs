using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <content>What arrives, and whether the peer is still heard.</content>
internal sealed partial class InMemoryConnection
{
    /// <summary>Begins to count silence.</summary>
    public void Watch()
    {
        if (IdleTimeout > TimeSpan.Zero || KeepAlive is not null)
        {
            ScheduleAlive();
        }
    }

    public void Receive(Packet packet, PathEnd path, long arrivedAt)
    {
        if (Failure is not null || (packet.IsEarlyData && DropsEarlyData))
        {
            // It was not taken: to its sender it is lost.
            packet.Path.Out.ScheduleLoss(packet, Network.Clock.NowTicks);
            return;
        }

        if (Events is null)
        {
            _beforeStart.Add((packet, default, path, arrivedAt));
            return;
        }

        Heard(path, packet.SentAt);
        path.BytesReceived += packet.WireSize;
        bool early = packet.IsEarlyData && !HandshakeCompleted;
        foreach (ref readonly PacketFrame frame in packet.Frames)
        {
            if (frame.Stream is null)
            {
                _queue.Datagram(packet, frame, early, arrivedAt);
            }
            else
            {
                bool isWhole = Has(TransportCapabilities.WholeStreams) && frame.Stream.Stream.Kind == TransportStreamKind.Unidirectional
                    && frame is { Offset: 0, IsEnd: true } && !frame.Stream.IsReset;
                InMemoryStream stream = Streams.Inbound(frame.Stream, early, isWhole, out bool isNew);
                stream.Receive!.Receive(packet, frame, arrivedAt);
                if (isWhole && isNew)
                {
                    _queue.WholeStream(stream, packet, frame, early, arrivedAt);
                }
            }
        }

        path.Out.Send(new LinkMessage(LinkMessageKind.Acknowledge, packet));
    }

    public void Receive(in LinkMessage message, PathEnd path)
    {
        // Even an ended connection returns its packets to the pool, by their acknowledgement.
        if (message.Kind == LinkMessageKind.Acknowledge)
        {
            Heard(path, 0);
            Sender.OnAcknowledged((Packet)message.Target!);
            return;
        }

        if (Failure is not null)
        {
            return;
        }

        Heard(path, message.Kind == LinkMessageKind.Ping ? message.Second : 0);
        switch (message.Kind)
        {
            case LinkMessageKind.Connect:
                Listener!.Offer(this);
                return;
            case LinkMessageKind.Ping:
                if (message.First == 1)
                {
                    path.Out.Send(new LinkMessage(LinkMessageKind.Ping, null, 0, Network.Clock.NowTicks));
                }

                return;
        }

        if (Events is null)
        {
            _beforeStart.Add((null, message, path, 0));
            return;
        }

        switch (message.Kind)
        {
            case LinkMessageKind.StreamCredit:
                ((InMemorySendHalf)message.Target!).OnCredit(message.First);
                Sender.Pump();
                break;
            case LinkMessageKind.ConnectionCredit:
                Sender.OnCredit(message.First);
                break;
            case LinkMessageKind.StreamCount:
                Streams.OnLimit((TransportStreamKind)message.Second, message.First);
                break;
            case LinkMessageKind.Reset:
                Streams.Inbound((InMemorySendHalf)message.Target!, !HandshakeCompleted, isWhole: false, out _).Receive!
                    .OnReset(message.First, message.Second, message.Third);
                break;
            case LinkMessageKind.Stop:
                var half = (InMemorySendHalf)message.Target!;
                if (half.OnStopped(message.First))
                {
                    ReportStopped(half.Stream, message.First);
                }

                break;
            case LinkMessageKind.Close:
                End(new TransportException(
                    TransportErrorReason.ClosedByPeer, $"The peer closed the connection: {message.Target}", message.First));
                break;
            case LinkMessageKind.HandshakeDone:
                CompleteHandshake(earlyDataRejected: false);
                break;
        }
    }

    public void CompleteHandshake(bool earlyDataRejected)
    {
        if (HandshakeCompleted || Failure is not null)
        {
            return;
        }

        HandshakeCompleted = true;
        if (earlyDataRejected)
        {
            // Told before what fails with it.
            HasUntoldRejection = Events is not null;
            if (HasUntoldRejection)
            {
                _queue.EarlyDataRejected();
            }

            _wholeStreams.Clear();
            var failure = new TransportException(TransportErrorReason.EarlyDataRejected, "The server did not take the early data.");
            Streams.ForgetEarlyData(failure);
            Sender.ForgetEarlyData(PeerLimits.ConnectionReceiveWindow);
        }

        if (Events is not null)
        {
            _queue.HandshakeCompleted();
        }

        if (IsClient)
        {
            Tell(new LinkMessage(LinkMessageKind.HandshakeDone, null));
        }
    }

    private void Heard(PathEnd path, long sentAt)
    {
        _lastReceived = Network.Clock.NowTicks;
        if (path.RemoteMoved() && Failure is null)
        {
            ReportPath(path, PostPathChange.PeerMoved);
        }

        // What was sent before the peer moved may come after what it sent from its new address.
        bool isNews = sentAt > _latestHeard;
        _latestHeard = Math.Max(_latestHeard, sentAt);
        if (!isNews || ReferenceEquals(path, _main) || Failure is not null || Has(TransportCapabilities.Multipath))
        {
            return;
        }

        // The server answers where the client sends from; the client stays where it is while that works.
        if (path.State is PostPathState.Standby or PostPathState.Active && (!IsClient || _main.IsSuspect || _main.State == PostPathState.Failed))
        {
            UsePath(path);
            ReportPath(path, PostPathChange.PeerMoved);
        }
    }

    private void ScheduleAlive()
    {
        long due = IdleTimeout > TimeSpan.Zero ? _lastReceived + IdleTimeout.Ticks : long.MaxValue;
        if (KeepAlive is { } interval)
        {
            due = Math.Min(due, Math.Max(_lastReceived, _lastPing) + interval.Ticks);
        }

        Network.Clock.Schedule(_alive, due);
    }

    private void CheckAlive()
    {
        long now = Network.Clock.NowTicks;
        if (IdleTimeout > TimeSpan.Zero && now - _lastReceived >= IdleTimeout.Ticks)
        {
            End(new TransportException(
                TransportErrorReason.TimedOut, $"Nothing was heard of the peer for {IdleTimeout}; a keep-alive prevents that where it is mere silence."));
            return;
        }

        if (KeepAlive is { } interval && now - Math.Max(_lastReceived, _lastPing) >= interval.Ticks)
        {
            _lastPing = now;
            Tell(new LinkMessage(LinkMessageKind.Ping, null, 1, now));
        }

        ScheduleAlive();
    }
}
