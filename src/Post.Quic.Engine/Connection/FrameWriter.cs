using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Decides what goes into a packet, in which order: acknowledgements, then what the connection itself needs, then
/// streams and datagrams by their urgency.
/// </summary>
internal sealed class FrameWriter
{
    /// <summary>RFC 9000 section 18.2: the default of ack_delay_exponent, which we announce by saying nothing.</summary>
    private const int AckDelayExponent = 3;

    private readonly ConnectionState _state;
    private byte[] _newToken = [];
    private bool _newTokenToSend;

    public FrameWriter(ConnectionState state)
    {
        _state = state;
    }

    private bool HasConnectionFrames(Path carrier) =>
        _state.HandshakeDoneToSend
        || _newTokenToSend
        || _state.Paths.Ids.HaveDataToSend(carrier)
        || _state.MultipathFrames.HasDataToSend;

    /// <summary>Where the data of streams and datagrams stands in the packet that was filled last, and how many frames it is.</summary>
    public (Range Bytes, int Frames, bool IsFull) LastData { get; private set; }

    /// <summary>Something of the connection's own waits, which may go by any path.</summary>
    public bool HasOwnContent(Path path) =>
        HasConnectionFrames(path)
        || _state.Streams.HasControlToSend
        || _state.Crypto.HasDataToSend(EncryptionLevel.Application);

    /// <summary>The newest token replaces one that is still to be sent.</summary>
    public void SendNewToken(ReadOnlySpan<byte> token)
    {
        _newToken = token.ToArray();
        _newTokenToSend = true;
    }

    public void OnNewTokenLost() => _newTokenToSend = true;

    /// <summary>There is something that asks for an acknowledgement to be sent at this level by this path.</summary>
    public bool HasContent(EncryptionLevel level, Path path) => level switch
    {
        EncryptionLevel.Initial or EncryptionLevel.Handshake => _state.Crypto.HasDataToSend(level),
        EncryptionLevel.EarlyData => HasApplicationData,
        _ => HasApplicationData || HasConnectionFrames(path) || _state.Crypto.HasDataToSend(level),
    };

    /// <summary>At most so many bytes does the frame take that goes first into a 1-RTT packet.</summary>
    public long FirstSize(Path path) =>
        HasConnectionFrames(path) || _state.Crypto.HasDataToSend(EncryptionLevel.Application)
            ? long.MaxValue
            : ApplicationData.FirstSize(_state.Streams, _state.Datagrams);

    private bool HasApplicationData => _state.Streams.HasFramesToSend || _state.Datagrams.HasDataToSend;

    /// <summary>An acknowledgement must be sent in a packet of this level by this path.</summary>
    public bool IsAckDue(EncryptionLevel level, Path path, long now)
    {
        if (level == EncryptionLevel.EarlyData)
        {
            return false;
        }

        if (level != EncryptionLevel.Application || !_state.Multipath.IsEnabled)
        {
            return _state.Space(level, path).Received.IsAckDue(now);
        }

        foreach (Path one in _state.Paths.Known)
        {
            if (one.HasNetwork && one.Space.Received.IsAckDue(now) && _state.Paths.AcknowledgedBy(one, now) == path)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fills the packet; returns what its frames make of it.</summary>
    /// <param name="level">The packet's keys.</param>
    /// <param name="writer">The room for frames.</param>
    /// <param name="path">The path that it goes by.</param>
    /// <param name="mayHaveContent">Content goes by this path.</param>
    /// <param name="permission">Whether the window lets content out.</param>
    /// <param name="isProbe">The packet is to be sent whatever the window says, and to ask for an answer.</param>
    /// <param name="now">The current time.</param>
    public SentPacketFlags Write(
        EncryptionLevel level,
        ref WireWriter writer,
        Path path,
        bool mayHaveContent,
        SendPermission permission,
        bool isProbe,
        long now)
    {
        PacketNumberSpace space = _state.Space(level, path);
        bool content = mayHaveContent && (permission == SendPermission.Allowed || isProbe) && HasContent(level, path);
        bool wroteAck = level != EncryptionLevel.EarlyData && WriteAcks(level, ref writer, path, content, isProbe, now);
        LastData = default;
        bool eliciting = content && WriteContent(level, path, ref writer, space.Frames, now);
        if (isProbe && level == EncryptionLevel.Application && _state.AckFrequency.IsInForce && writer.Remaining >= ImmediateAckFrame.Length)
        {
            // draft-ietf-quic-ack-frequency section 5: what a probe asks is not to wait for more to come.
            ImmediateAckFrame.Write(ref writer);
            eliciting = true;
        }

        if (!eliciting && writer.Remaining > 0
            && (isProbe || (wroteAck && permission == SendPermission.Allowed && path.Recovery.ShouldAddPing(space, now))))
        {
            // RFC 9002 section 6.2.4: a probe without anything to say again is a PING.
            WritePing(ref writer, space.Frames);
            eliciting = true;
        }

        if (!eliciting)
        {
            return SentPacketFlags.None;
        }

        SentPacketFlags flags = SentPacketFlags.AckEliciting | SentPacketFlags.InFlight;
        return isProbe ? flags | SentPacketFlags.PtoProbe : flags;
    }

    /// <summary>
    /// RFC 9000 section 13.2.1: an acknowledgement rides along with anything that goes anyway; with a probe even one that was sent
    /// before, since a peer that is silent may have missed it.
    /// </summary>
    private bool WriteAcks(EncryptionLevel level, ref WireWriter writer, Path path, bool content, bool isProbe, long now)
    {
        PacketNumberSpace space = _state.Space(level, path);
        if (level != EncryptionLevel.Application || !_state.Multipath.IsEnabled)
        {
            return (isProbe || WantsAck(space.Received, path, content, now))
                && space.Received.TryWriteAck(ref writer, space.Frames, AckDelayExponent, now);
        }

        bool wrote = false;
        foreach (Path one in _state.Paths.Known)
        {
            if (one.HasNetwork
                && ((isProbe && one == path)
                    || (WantsAck(one.Space.Received, one, content, now) && _state.Paths.AcknowledgedBy(one, now) == path)))
            {
                wrote |= one.Space.Received.TryWriteAck(ref writer, space.Frames, AckDelayExponent, now, asPathAck: true);
            }
        }

        return wrote;
    }

    private static bool WantsAck(ReceivedPackets received, Path path, bool content, long now) =>
        received.IsAckDue(now)
        || (content
            && (received.HasUnacknowledged || received.HasUnreported(now - path.Transmission.Rtt.Smoothed)));

    private bool WriteContent(EncryptionLevel level, Path path, ref WireWriter writer, SentFrameLog log, long now)
    {
        if (level == EncryptionLevel.EarlyData)
        {
            return ApplicationData.WriteFrames(_state.Streams, _state.Datagrams, ref writer, log, now);
        }

        int start = writer.Position;
        if (level == EncryptionLevel.Application)
        {
            WriteConnectionFrames(path, ref writer, log);
        }

        _ = _state.Crypto.WriteFrames(level, ref writer, log);
        if (level == EncryptionLevel.Application && writer.Remaining > 0)
        {
            // A loss is noticed after a probe timeout at the latest. A datagram's deadline is when it has to leave, a stream's when it has to be there.
            _state.Datagrams.LastTryTime = path.Recovery.ProbeTimeoutPeriod;
            _state.Streams.LastTryTime = path.Recovery.ProbeTimeoutPeriod + (path.Transmission.Rtt.Smoothed / 2);
            _ = _state.Streams.WriteControl(ref writer, log, now);
            int dataStart = writer.Position;
            int framesBefore = log.PendingCount;
            _ = ApplicationData.WriteFrames(_state.Streams, _state.Datagrams, ref writer, log, now);
            LastData = (dataStart..writer.Position, log.PendingCount - framesBefore, writer.Remaining == 0);
        }

        return writer.Position > start;
    }

    private void WriteConnectionFrames(Path path, ref WireWriter writer, SentFrameLog log)
    {
        if (_state.HandshakeDoneToSend && writer.Remaining > 0)
        {
            HandshakeDoneFrame.Write(ref writer);
            log.Record(new SentFrame(SentFrameKind.HandshakeDone));
            _state.HandshakeDoneToSend = false;
        }

        if (_newTokenToSend && writer.Remaining >= NewTokenFrame.LengthOf(_newToken.Length))
        {
            NewTokenFrame.Write(ref writer, _newToken);
            log.Record(new SentFrame(SentFrameKind.NewToken));
            _newTokenToSend = false;
        }

        if (_state.MultipathFrames.HasDataToSend)
        {
            _state.MultipathFrames.Write(ref writer, log, path);
        }

        _state.Paths.Ids.WriteFrames(path, ref writer, log);

        if (_state.AckFrequency.HasDataToSend)
        {
            _state.AckFrequency.Write(ref writer, log);
        }
    }

    private static void WritePing(ref WireWriter writer, SentFrameLog log)
    {
        PingFrame.Write(ref writer);
        log.Record(new SentFrame(SentFrameKind.Ping));
    }
}
