using System.Diagnostics;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Puts the head on a packet and, once its frames are written, pads and protects it and tells recovery of it.
/// </summary>
internal sealed class PacketBuilder
{
    /// <summary>
    /// RFC 9001 section 5.4.2: the sample for header protection begins four bytes after the packet number does, so number
    /// and payload have four bytes at least.
    /// </summary>
    private const int MinNumberAndPayload = 4;

    private readonly ConnectionState _state;
    private ulong _grease;

    public PacketBuilder(ConnectionState state)
    {
        _state = state;
        _grease = state.Random.NextUInt64() | 1;
    }

    /// <summary>What a 1-RTT packet has beside its frames, at most.</summary>
    public static int Overhead(Network network) =>
        PacketHeaderWriter.ShortLength(network.RemoteId.Id, PacketNumber.MaxLength) + PacketKeys.Overhead;

    /// <summary>Writes the header; false where the room is too small for any frame behind it.</summary>
    /// <param name="datagram">The room for the datagram.</param>
    /// <param name="start">Where in it the packet begins.</param>
    /// <param name="level">The keys to use.</param>
    /// <param name="path">The path it goes by.</param>
    /// <param name="network">The network of the path that it goes over.</param>
    /// <param name="draft">What was begun.</param>
    public bool TryBegin(Span<byte> datagram, int start, EncryptionLevel level, Path path, Network network, out PacketDraft draft)
    {
        PacketNumberSpace space = _state.Space(level, path);
        ulong number = space.NextPacketNumber;
        int numberLength = PacketNumber.LengthFor(number, space.LargestAcked is { } acked ? acked + 1 : 0);
        draft = new PacketDraft { Level = level, Start = start, Number = number, NumberLength = numberLength };
        ConnectionId destination = network.RemoteId.Id;
        ReadOnlySpan<byte> token = level == EncryptionLevel.Initial ? _state.Token.Span : default;
        int header = level == EncryptionLevel.Application
            ? PacketHeaderWriter.ShortLength(destination, numberLength)
            : PacketHeaderWriter.LongLength(
                TypeOf(level), destination, _state.OwnInitialSource, token.Length, numberLength);
        if (start + header + MinNumberAndPayload + PacketKeys.Overhead > datagram.Length)
        {
            return false;
        }

        var writer = new WireWriter(datagram[start..]);
        if (level == EncryptionLevel.Application)
        {
            PacketHeaderWriter.WriteShort(
                ref writer, destination, numberLength, keyPhase: false, network.Spin, fixedBit: !ClearsFixedBit());
        }
        else
        {
            draft.LengthOffset = start + PacketHeaderWriter.WriteLong(
                ref writer,
                TypeOf(level),
                level == EncryptionLevel.EarlyData ? _state.Version.Original : _state.Version.Current,
                destination,
                _state.OwnInitialSource,
                token,
                numberLength);
        }

        draft.NumberOffset = start + writer.Position;
        PacketNumber.Write(ref writer, number, numberLength);
        return true;
    }

    /// <summary>
    /// Pads the packet so that it ends at <paramref name="padTo"/> at least, protects it and reports it. Returns where
    /// it ends.
    /// </summary>
    public int Finish(Span<byte> datagram, ref PacketDraft draft, int padTo, Path path, Network network, EcnCodepoint ecn, long now)
    {
        PadForSample(datagram, ref draft);
        if (padTo > draft.End)
        {
            Pad(datagram, ref draft, padTo - draft.End);
        }

        if (draft.LengthOffset != 0)
        {
            PacketHeaderWriter.FillLength(datagram, draft.LengthOffset, draft.End - draft.NumberOffset);
        }

        Span<byte> packet = datagram[draft.Start..draft.End];
        _state.Trace?.PacketSent(
            now, network, draft.Level, draft.Number, packet.Length, datagram.Slice(draft.PayloadOffset, draft.PayloadLength));
        byte generation = Protect(packet, draft, path.Id);
        _state.Counters.PacketsSent++;
        network.PacketsSent++;
        LossRecovery recovery = draft.Level == EncryptionLevel.Application ? path.Recovery : _state.Paths.First.Recovery;
        recovery.OnPacketSent(
            _state.Space(draft.Level, path),
            network.Transmission,
            new PacketSent(packet.Length, draft.Flags, draft.Level, generation, ecn),
            now);
        if (draft.IsAckEliciting)
        {
            _state.Idle.OnAckElicitingSent(now);
        }

        if (draft.Level == EncryptionLevel.Handshake && !_state.IsServer)
        {
            // RFC 9001 section 4.9.1: a client's Initial keys go when it first sends a Handshake packet.
            _state.DiscardInitialAfterDatagram = true;
        }

        return draft.End;
    }

    /// <summary>A datagram with packets of ours is complete.</summary>
    public void OnDatagramBuilt(Network network, int length)
    {
        network.Amplification.OnSent(length);
        network.BytesSent += length;
        _state.Counters.DatagramsSent++;
        _state.Counters.BytesSent += length;
        _state.Counters.BytesSentBeside += network.PathId == 0 ? 0 : length;
    }

    /// <summary>Pads the packet of a very short frame, so that header protection finds its sample.</summary>
    public static void PadForSample(Span<byte> datagram, ref PacketDraft draft)
    {
        int missing = MinNumberAndPayload - draft.NumberLength - draft.PayloadLength;
        if (missing > 0)
        {
            Pad(datagram, ref draft, missing);
        }
    }

    private static void Pad(Span<byte> datagram, ref PacketDraft draft, int count)
    {
        Debug.Assert(!draft.IsFull, "padding would become data of a frame without length");
        datagram.Slice(draft.PayloadOffset + draft.PayloadLength, count).Clear();
        draft.PayloadLength += count;

        // RFC 9002 section 2: PADDING makes a packet count as in flight. A byte or two for the sample of a packet of only
        // ACK would then never leave flight, since nobody acknowledges it: it is left out of the count.
        if (draft.IsAckEliciting)
        {
            draft.Flags |= SentPacketFlags.InFlight;
        }
    }

    private static PacketType TypeOf(EncryptionLevel level) => level switch
    {
        EncryptionLevel.Initial => PacketType.Initial,
        EncryptionLevel.EarlyData => PacketType.ZeroRtt,
        _ => PacketType.Handshake,
    };

    private byte Protect(Span<byte> packet, in PacketDraft draft, uint pathId)
    {
        int numberOffset = draft.NumberOffset - draft.Start;
        if (draft.Level != EncryptionLevel.Application)
        {
            _state.Keys.ForSending(draft.Level).Protect(packet, numberOffset, draft.NumberLength, draft.Number);
            return 0;
        }

        ApplicationKeys keys = _state.Keys.Application!;
        keys.Protect(packet, numberOffset, draft.NumberLength, draft.Number, pathId);
        return (byte)keys.SendGeneration;
    }

    /// <summary>
    /// RFC 9287 section 3: towards a peer that does not mind, the fixed bit is anything, so that no middlebox comes to
    /// rely on it. Nothing hangs on it, so the bits come from a cheap generator.
    /// </summary>
    private bool ClearsFixedBit()
    {
        if (!_state.Peer.GreaseQuicBit)
        {
            return false;
        }

        _grease ^= _grease << 13;
        _grease ^= _grease >> 7;
        _grease ^= _grease << 17;
        return (_grease & 1) == 0;
    }
}
