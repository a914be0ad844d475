using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Tests.Wire;

[TestClass]
public sealed class PacketHeaderTests
{
    private const int LocalIdLength = 4;

    private static readonly ConnectionId Destination = new([0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08]);

    private static readonly ConnectionId Source = new([0xf0, 0x67, 0xa5, 0x50]);

    /// <summary>RFC 9001 appendix A.2 and RFC 9369 appendix A.2: the header of the client's Initial before protection.</summary>
    [TestMethod]
    [DataRow(0x00000001u, "c300000001088394c8f03e5157080000449e00000002")]
    [DataRow(0x6b3343cfu, "d36b3343cf088394c8f03e5157080000449e00000002")]
    public void The_client_Initial_header_of_the_RFC_is_written_and_read(uint version, string hex)
    {
        byte[] packet = new byte[1200];
        var writer = new WireWriter(packet);
        int position = PacketHeaderWriter.WriteLong(
            ref writer, PacketType.Initial, (QuicVersion)version, Destination, default, [], packetNumberLength: 4);
        PacketNumber.Write(ref writer, 2, 4);
        PacketHeaderWriter.FillLength(packet, position, 1182);

        Assert.AreEqual(hex, Convert.ToHexStringLower(writer.Written));
        Assert.AreEqual(
            writer.Position,
            PacketHeaderWriter.LongLength(PacketType.Initial, Destination, default, 0, packetNumberLength: 4));
        Assert.AreEqual(PacketParseResult.Parsed, PacketHeader.TryParse(packet, LocalIdLength, out PacketHeader header));
        Assert.AreEqual(PacketType.Initial, header.Type);
        Assert.AreEqual(version, (uint)header.Version);
        Assert.AreEqual(18, header.PacketNumberOffset);
        Assert.AreEqual(1200, header.Length);
        Assert.IsTrue(Destination.SequenceEqual(header.DestinationConnectionId));
        Assert.IsTrue(header.SourceConnectionId.IsEmpty && header.Token.IsEmpty);
    }

    /// <summary>RFC 9001 appendix A.4 and RFC 9369 appendix A.4.</summary>
    [TestMethod]
    [DataRow("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba", 0x00000001u)]
    [DataRow("cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6", 0x6b3343cfu)]
    public void The_Retry_of_the_RFC_is_read_and_written(string hex, uint version)
    {
        byte[] packet = Convert.FromHexString(hex);

        Assert.AreEqual(PacketParseResult.Parsed, PacketHeader.TryParse(packet, LocalIdLength, out PacketHeader header));
        Assert.AreEqual(PacketType.Retry, header.Type);
        Assert.AreEqual(version, (uint)header.Version);
        Assert.AreEqual("f067a5502a4262b5", Convert.ToHexStringLower(header.SourceConnectionId));
        Assert.IsTrue(header.Token.SequenceEqual("token"u8));
        Assert.IsFalse(header.IsProtected);

        var writer = new WireWriter(new byte[100]);
        PacketHeaderWriter.WriteRetry(
            ref writer, header.Version, default, new ConnectionId(header.SourceConnectionId), "token"u8, 0x0f);
        CollectionAssert.AreEqual(packet[..^PacketHeader.RetryTagLength], writer.Written.ToArray());
    }

    [TestMethod]
    [DataRow("f0000000010008f067a5502a4262b504a265ba2eff4d829058fb3f0f2496ba", "empty token")]
    [DataRow("f0000000010008f067a5502a4262b5a265ba2eff4d829058fb3f0f2496ba", "short tag")]
    [DataRow("c000000001150102030405060708090a0b0c0d0e0f101112131415000000", "destination id of 21 bytes")]
    [DataRow("c00000000100150102030405060708090a0b0c0d0e0f1011121314150000", "source id of 21 bytes")]
    [DataRow("e0000000010000020000", "0-RTT length beyond the datagram is 2 of 2: one byte cut", true)]
    [DataRow("c0000000010000ff", "cut token length")]
    [DataRow("c000000001000005aabb", "token beyond the datagram")]
    [DataRow("c00000000100000005aabb", "length beyond the datagram")]
    [DataRow("40010203", "short header without a whole id")]
    [DataRow("", "nothing")]
    public void What_is_no_packet_is_dropped(string hex, string what, bool cutOne = false)
    {
        byte[] datagram = Convert.FromHexString(hex);
        if (cutOne)
        {
            datagram = datagram[..^1];
        }

        Assert.AreEqual(PacketParseResult.Malformed, PacketHeader.TryParse(datagram, LocalIdLength, out _), what);
    }

    [TestMethod]
    public void A_foreign_version_is_told_apart_and_its_long_ids_are_read()
    {
        byte[] datagram = [0x80, 0xba, 0xba, 0xba, 0xba, 200, .. new byte[200], 255, .. new byte[255], 1, 2, 3];

        Assert.AreEqual(PacketParseResult.UnknownVersion, PacketHeader.TryParse(datagram, LocalIdLength, out _));
        Assert.IsTrue(InvariantHeader.TryParse(datagram, LocalIdLength, out InvariantHeader header));
        Assert.IsTrue(header.IsLong);
        Assert.AreEqual(0xbabababau, header.Version);
        Assert.IsTrue(QuicVersions.IsReserved(header.Version));
        Assert.AreEqual(200, header.DestinationConnectionId.Length);
        Assert.AreEqual(255, header.SourceConnectionId.Length);
        for (int length = 0; length < header.Length; length++)
        {
            Assert.IsFalse(InvariantHeader.TryParse(datagram.AsSpan(0, length), LocalIdLength, out _));
        }
    }

    [TestMethod]
    public void Types_are_numbered_as_each_version_says()
    {
        // RFC 9000 table 5 and RFC 9369 section 3.2.
        (PacketType Type, byte First1, byte First2)[] rows =
        [
            (PacketType.Initial, 0xc0, 0xd0),
            (PacketType.ZeroRtt, 0xd0, 0xe0),
            (PacketType.Handshake, 0xe0, 0xf0),
            (PacketType.Retry, 0xf0, 0xc0),
        ];
        foreach ((PacketType type, byte first1, byte first2) in rows)
        {
            Assert.AreEqual(first1, FirstByte.Long(type, QuicVersion.Version1));
            Assert.AreEqual(first2, FirstByte.Long(type, QuicVersion.Version2));
            Assert.AreEqual(type, FirstByte.LongType(first1, QuicVersion.Version1));
            Assert.AreEqual(type, FirstByte.LongType(first2, QuicVersion.Version2));
        }
    }

    [TestMethod]
    public void A_short_header_keeps_its_bits_and_reaches_to_the_end()
    {
        var writer = new WireWriter(new byte[40]);
        PacketHeaderWriter.WriteShort(ref writer, Source, packetNumberLength: 3, keyPhase: true, spin: true);
        Assert.AreEqual(0x66, writer.Written[0]);
        PacketNumber.Write(ref writer, 0x123456, 3);
        Assert.AreEqual(PacketHeaderWriter.ShortLength(Source, 3), writer.Position);
        Assert.AreEqual(PacketParseResult.Parsed, PacketHeader.TryParse(writer.Written, 4, out PacketHeader header));
        Assert.AreEqual(PacketType.OneRtt, header.Type);
        Assert.AreEqual(EncryptionLevel.Application, header.Level);
        Assert.IsTrue(header.HasFixedBit);
        Assert.AreEqual(5, header.PacketNumberOffset);
        Assert.AreEqual(writer.Position, header.Length);
    }

    [TestMethod]
    public void A_greased_QUIC_bit_is_seen_and_not_judged()
    {
        var writer = new WireWriter(new byte[40]);
        PacketHeaderWriter.WriteShort(ref writer, Source, 1, keyPhase: false, fixedBit: false);
        Assert.AreEqual(PacketParseResult.Parsed, PacketHeader.TryParse(writer.Written, 4, out PacketHeader header));
        Assert.IsFalse(header.HasFixedBit);

        writer = new WireWriter(new byte[40]);
        int position = PacketHeaderWriter.WriteLong(
            ref writer, PacketType.Handshake, QuicVersion.Version1, Destination, Source, [], 1, fixedBit: false);
        PacketHeaderWriter.FillLength(writer.Written, position, 0);
        Assert.AreEqual(PacketParseResult.Parsed, PacketHeader.TryParse(writer.Written, 4, out header));
        Assert.IsFalse(header.HasFixedBit);
        Assert.AreEqual(PacketType.Handshake, header.Type);
    }

    [TestMethod]
    [DataRow(0x40, false)]
    [DataRow(0x47, false)]
    [DataRow(0x48, true)]
    [DataRow(0x50, true)]
    [DataRow(0xc3, false)]
    [DataRow(0xc4, true)]
    [DataRow(0xc8, true)]
    public void Reserved_bits_are_known_for_both_forms(int first, bool reserved) =>
        Assert.AreEqual(reserved, FirstByte.HasReservedBits((byte)first));

    [TestMethod]
    public void Coalesced_packets_come_apart_and_junk_behind_them_is_tolerated()
    {
        byte[] datagram = [.. Packet(PacketType.Initial, Destination, 30), .. Packet(PacketType.Handshake, Destination, 20), 0xff, 0xff];
        var reader = new DatagramReader(datagram, LocalIdLength);

        Assert.IsTrue(reader.TryReadNext(out PacketHeader first));
        Assert.AreEqual(PacketType.Initial, first.Type);
        Assert.AreEqual(0, reader.Offset);
        Assert.IsTrue(reader.TryReadNext(out PacketHeader second));
        Assert.AreEqual(PacketType.Handshake, second.Type);
        Assert.AreEqual(first.Length, reader.Offset);
        Assert.IsFalse(reader.TryReadNext(out _));
        Assert.IsFalse(reader.TryReadNext(out _));
    }

    [TestMethod]
    public void A_coalesced_packet_for_another_connection_is_passed_over()
    {
        byte[] datagram =
        [
            .. Packet(PacketType.Initial, Destination, 30),
            .. Packet(PacketType.Initial, Source, 30),
            .. Packet(PacketType.Handshake, Destination, 20),
        ];
        var reader = new DatagramReader(datagram, LocalIdLength);

        Assert.IsTrue(reader.TryReadNext(out _));
        Assert.IsTrue(reader.TryReadNext(out PacketHeader second));
        Assert.AreEqual(PacketType.Handshake, second.Type);
        Assert.AreEqual(datagram.Length - second.Length, reader.Offset);
        Assert.IsFalse(reader.TryReadNext(out _));
    }

    [TestMethod]
    public void Version_Negotiation_reads_back_as_written()
    {
        byte[] longId = [.. Enumerable.Range(0, 255).Select(i => (byte)i)];
        var writer = new WireWriter(new byte[600]);
        VersionNegotiationPacket.Write(ref writer, longId, Source.Span, [1, 0x6b3343cf, 0x1a2a3a4a], random: 0x15);

        Assert.AreEqual(0xd5, writer.Written[0]);
        Assert.IsTrue(VersionNegotiationPacket.TryParse(writer.Written, out VersionNegotiationPacket packet));
        Assert.IsTrue(packet.DestinationConnectionId.SequenceEqual(longId));
        Assert.IsTrue(Source.SequenceEqual(packet.SourceConnectionId));
        Assert.AreEqual(3, packet.VersionCount);
        Assert.IsTrue(packet.Contains(0x6b3343cf));
        Assert.IsFalse(packet.Contains(2));
        Assert.AreEqual(
            PacketParseResult.Parsed, PacketHeader.TryParse(writer.Written, LocalIdLength, out PacketHeader header));
        Assert.AreEqual(PacketType.VersionNegotiation, header.Type);
    }

    [TestMethod]
    [DataRow("80000000000000", "empty list")]
    [DataRow("800000000000000000000100", "list that ends within a version")]
    [DataRow("8000000001000000000001", "another version")]
    [DataRow("0000000000000000000001", "short header")]
    public void A_Version_Negotiation_that_is_none_is_ignored(string hex, string what) =>
        Assert.IsFalse(VersionNegotiationPacket.TryParse(Convert.FromHexString(hex), out _), what);

    private static byte[] Packet(PacketType type, ConnectionId destination, int length)
    {
        var writer = new WireWriter(new byte[100]);
        int position = PacketHeaderWriter.WriteLong(
            ref writer, type, QuicVersion.Version1, destination, Source, [], packetNumberLength: 1);
        PacketHeaderWriter.FillLength(writer.Written, position, length);
        writer.Advance(length);
        return writer.Written.ToArray();
    }
}
