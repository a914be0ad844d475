using System.Text;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>Reads the frames of an authentic packet and hands each to the room whose business it is.</summary>
internal sealed class FrameDispatch
{
    private readonly ConnectionState _state;

    public FrameDispatch(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>Processes all frames; stops at the first that is wrong.</summary>
    public TransportError Process(ReadOnlySpan<byte> payload, in ReceivedPacket packet, long now, out PacketSummary summary)
    {
        var frames = new FrameReader(payload, packet.Level, fromServer: !_state.IsServer, _state.Extensions);
        summary = default;
        _state.Streams.IsReceivingEarlyData = packet.Level == EncryptionLevel.EarlyData;
        _state.Streams.ArrivedAt = packet.ArrivedAt;
        TransportError error = TransportError.None;
        while (frames.TryReadType(out ulong type))
        {
            error = FrameType.IsStream(type)
                ? HandleStream(type, ref frames, now)
                : Handle(type, ref frames, packet, ref summary, now);
            // What ended the connection may have been found by another room, and not be this frame's error.
            if (error.IsError || _state.IsOver)
            {
                return error.InFrame(type);
            }
        }

        summary.IsAckEliciting = frames.IsAckEliciting;
        summary.IsNonProbing = frames.IsNonProbing;
        return frames.Error;
    }

    /// <summary>
    /// In the closing state only the peer's own CONNECTION_CLOSE is of interest (RFC 9000 section 10.2.1).
    /// </summary>
    public void ProcessWhileClosing(ReadOnlySpan<byte> payload, in ReceivedPacket packet, long now)
    {
        var frames = new FrameReader(payload, packet.Level, fromServer: !_state.IsServer, _state.Extensions);
        while (frames.TryReadType(out ulong type))
        {
            if (type is FrameType.ConnectionClose or FrameType.ConnectionCloseApplication)
            {
                _state.Lifecycle.Drain(now);
                return;
            }

            if (type is not (FrameType.Ack or FrameType.AckEcn)
                || !AckFrame.TryParse(type, ref frames.Body, out _))
            {
                return;
            }
        }
    }

    private TransportError HandleStream(ulong type, ref FrameReader frames, long now) =>
        StreamFrame.TryParse(type, ref frames.Body, out StreamFrame frame)
            ? _state.Streams.Handle(frame, now)
            : frames.Malformed();

    private TransportError Handle(
        ulong type, ref FrameReader frames, in ReceivedPacket packet, ref PacketSummary summary, long now)
    {
        switch (type)
        {
            case FrameType.Ping:
                return TransportError.None;
            case FrameType.Ack or FrameType.AckEcn:
                return HandleAck(type, ref frames, packet, now);
            case FrameType.Datagram or FrameType.DatagramWithLength:
                return HandleDatagram(type, ref frames, packet);
            case FrameType.Crypto:
                return CryptoFrame.TryParse(ref frames.Body, out CryptoFrame crypto)
                    ? _state.Handshake.Receive(packet.Level, crypto, now)
                    : frames.Malformed();
            case FrameType.ResetStream:
                return ResetStreamFrame.TryParse(ref frames.Body, out ResetStreamFrame reset)
                    ? _state.Streams.Handle(reset, now)
                    : frames.Malformed();
            case FrameType.ResetStreamAt:
                return ResetStreamAtFrame.TryParse(ref frames.Body, out ResetStreamAtFrame resetAt)
                    ? _state.Streams.Handle(resetAt, now)
                    : frames.Malformed();
            case FrameType.StopSending:
                return StopSendingFrame.TryParse(ref frames.Body, out StopSendingFrame stop)
                    ? _state.Streams.Handle(stop, now)
                    : frames.Malformed();
            case >= FrameType.MaxData and <= FrameType.StreamsBlockedUnidirectional:
                return HandleCredit(type, ref frames);
            case FrameType.PathChallenge:
                return HandleChallenge(ref frames, packet);
            case FrameType.PathResponse:
                return HandleResponse(ref frames, now);
            case FrameType.ConnectionClose or FrameType.ConnectionCloseApplication:
                return HandleClose(type, ref frames, now);
            case FrameType.NewToken:
                return HandleNewToken(ref frames);
            case FrameType.HandshakeDone:
                // The frame may come again; a move to the preferred address is tried once.
                if (!_state.IsHandshakeConfirmed)
                {
                    _state.Handshake.Confirm();
                    _state.Paths.First.Migration.FollowPreference(now);
                }

                return TransportError.None;
            case FrameType.PathAck or FrameType.PathAckEcn:
                return HandlePathAck(type, ref frames, packet, now);
            case FrameType.NewConnectionId
                or FrameType.RetireConnectionId
                or (>= FrameType.PathAbandon and <= FrameType.PathConnectionIdsBlocked):
                return _state.MultipathFrames.Handle(type, ref frames, packet);
            case FrameType.ImmediateAck:
                summary.WantsImmediateAck = true;
                return TransportError.None;
            default:
                return HandleAckFrequency(ref frames);
        }
    }

    private TransportError HandleAck(ulong type, ref FrameReader frames, in ReceivedPacket packet, long now)
    {
        if (!AckFrame.TryParse(type, ref frames.Body, out AckFrame ack))
        {
            return frames.Malformed();
        }

        // draft-ietf-quic-multipath-21 section 2.3: whatever path it comes by, it speaks of the first.
        return OnAck(_state.Paths.First, ack, packet, now);
    }

    private TransportError HandlePathAck(ulong type, ref FrameReader frames, in ReceivedPacket packet, long now)
    {
        if (!AckFrame.TryParse(type, ref frames.Body, out AckFrame ack))
        {
            return frames.Malformed();
        }

        ulong id = ack.PathId ?? 0;
        if (_state.PathStatements.IsBeyondLimit(id, out TransportError error) || _state.Paths.FindOrCreate((uint)id) is not { } path)
        {
            return error;
        }

        // RFC 9000 section 13.1: an acknowledgement of a packet that was never sent is a connection error.
        return path.HasNetwork
            ? OnAck(path, ack, packet, now)
            : path.Phase == PathPhase.Abandoned
                ? TransportError.None
                : new TransportError(TransportErrorCode.ProtocolViolation, "acknowledgement of a packet never sent");
    }

    /// <summary>Packets of ours on a path were acknowledged.</summary>
    private TransportError OnAck(Path path, in AckFrame ack, in ReceivedPacket packet, long now)
    {
        if (packet.Level == EncryptionLevel.Application)
        {
            TransportError error = _state.Keys.Application!.OnAcknowledged(path.Id, ack.LargestAcknowledged, packet.KeyGeneration);
            if (error.IsError)
            {
                return error;
            }
        }

        TransportError outcome = path.Recovery.OnAckReceived(_state.Space(packet.Level, path), ack, now, ack.PathId is null ? null : packet.Path.Id);
        if (path.Space.OwedSince == now)
        {
            // By whatever path that was told: what was sent here arrived.
            path.LastHeard = now;
        }

        _state.PathSilence.Judge(path, now);
        _state.PathWatch.OnChanged(path, now);
        return outcome;
    }

    private TransportError HandleDatagram(ulong type, ref FrameReader frames, in ReceivedPacket packet)
    {
        if (!DatagramFrame.TryParse(type, ref frames.Body, out DatagramFrame frame))
        {
            return frames.Malformed();
        }

        // RFC 9221 section 3: a frame above the size that we announced, its type and length counted, is PROTOCOL_VIOLATION.
        if ((ulong)frame.Length > _state.Settings.MaxDatagramFrameSize)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "DATAGRAM larger than announced");
        }

        _state.Events.OnDatagramReceived(frame.Data, packet.Level == EncryptionLevel.EarlyData, packet.ArrivedAt);
        return TransportError.None;
    }

    private TransportError HandleCredit(ulong type, ref FrameReader frames)
    {
        switch (type)
        {
            case FrameType.MaxData:
                if (MaxDataFrame.TryParse(ref frames.Body, out MaxDataFrame maxData))
                {
                    _state.Streams.HandleMaxData(maxData.Limit);
                    return TransportError.None;
                }

                break;
            case FrameType.MaxStreamData:
                if (MaxStreamDataFrame.TryParse(ref frames.Body, out MaxStreamDataFrame maxStreamData))
                {
                    return _state.Streams.Handle(maxStreamData);
                }

                break;
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                if (MaxStreamsFrame.TryParse(type, ref frames.Body, out MaxStreamsFrame maxStreams))
                {
                    _state.Streams.HandleMaxStreams(maxStreams.IsBidirectional, maxStreams.Limit);
                    return TransportError.None;
                }

                break;
            case FrameType.StreamDataBlocked:
                if (StreamDataBlockedFrame.TryParse(ref frames.Body, out StreamDataBlockedFrame streamBlocked))
                {
                    return _state.Streams.Handle(streamBlocked);
                }

                break;

            // Credit follows what the application consumes; that the peer wants more changes nothing.
            case FrameType.DataBlocked:
                if (DataBlockedFrame.TryParse(ref frames.Body, out _))
                {
                    return TransportError.None;
                }

                break;
            default:
                if (StreamsBlockedFrame.TryParse(type, ref frames.Body, out _))
                {
                    return TransportError.None;
                }

                break;
        }

        return frames.Malformed();
    }

    private static TransportError HandleChallenge(ref FrameReader frames, in ReceivedPacket packet)
    {
        if (!PathChallengeFrame.TryParse(ref frames.Body, out PathChallengeFrame frame))
        {
            return frames.Malformed();
        }

        // RFC 9000 section 8.2.2: the answer goes where the question came from, or nowhere.
        if (!packet.IsStray)
        {
            packet.Network.Responses.Add(frame.Data);
        }

        return TransportError.None;
    }

    private TransportError HandleResponse(ref FrameReader frames, long now)
    {
        if (!PathResponseFrame.TryParse(ref frames.Body, out PathResponseFrame frame))
        {
            return frames.Malformed();
        }

        _state.Paths.OnResponse(frame.Data, now);
        return TransportError.None;
    }

    private TransportError HandleClose(ulong type, ref FrameReader frames, long now)
    {
        if (!ConnectionCloseFrame.TryParse(type, ref frames.Body, out ConnectionCloseFrame frame))
        {
            return frames.Malformed();
        }

        ReadOnlySpan<byte> reason = frame.Reason;
        reason = reason[..Closing.Utf8Length(reason, Limits.MaxCloseReason)];
        _state.Lifecycle.OnPeerClosed(
            new ConnectionCloseInfo(
                CloseSource.Peer,
                frame.IsApplication,
                frame.ErrorCode,
                frame.FrameType,
                Encoding.UTF8.GetString(reason)),
            now);
        return TransportError.None;
    }

    private TransportError HandleNewToken(ref FrameReader frames)
    {
        if (!NewTokenFrame.TryParse(ref frames.Body, out NewTokenFrame frame))
        {
            return frames.Malformed();
        }

        // A token is only of use while it leaves room for a ClientHello in the same datagram.
        if (frame.Token.Length <= Limits.MaxTokenLength)
        {
            _state.Events.OnNewToken(frame.Token);
        }

        return TransportError.None;
    }

    private TransportError HandleAckFrequency(ref FrameReader frames)
    {
        if (!AckFrequencyFrame.TryParse(ref frames.Body, out AckFrequencyFrame frame))
        {
            return frames.Malformed();
        }

        // draft-ietf-quic-ack-frequency section 4: a delay below our min_ack_delay, or above what max_ack_delay may be, is
        // PROTOCOL_VIOLATION.
        if (frame.RequestedMaxAckDelay < _state.Parameters.Own.MinAckDelay)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "asked for a shorter delay than we can keep");
        }

        if (frame.RequestedMaxAckDelay > Limits.RequestedAckDelay)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "asked for a longer delay than max_ack_delay may be");
        }

        _state.Multipath.OnAckFrequency(frame);
        return TransportError.None;
    }
}
