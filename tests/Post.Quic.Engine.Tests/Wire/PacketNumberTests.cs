using CsCheck;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Wire;

[TestClass]
public sealed class PacketNumberTests
{
    /// <summary>RFC 9000 appendix A.2.</summary>
    [TestMethod]
    [DataRow(0xac5c02UL, 0xabe8b3UL, 2)]
    [DataRow(0xace8feUL, 0xabe8b3UL, 3)]
    public void The_lengths_of_the_RFC_come_out(ulong packetNumber, ulong largestAcknowledged, int length) =>
        Assert.AreEqual(length, PacketNumber.LengthFor(packetNumber, largestAcknowledged + 1));

    /// <summary>RFC 9000 appendix A.3.</summary>
    [TestMethod]
    public void The_number_of_the_RFC_comes_out() =>
        Assert.AreEqual(0xa82f9b32UL, PacketNumber.Decode(0xa82f30eaUL + 1, 0x9b32, 2));

    [TestMethod]
    [DataRow(0UL, 0u, 1, 0UL)]
    [DataRow(0UL, 255u, 1, 255UL)]
    [DataRow(256UL, 255u, 1, 255UL)]
    [DataRow(256UL, 0u, 1, 256UL)]
    [DataRow(255UL, 0u, 1, 256UL)]
    [DataRow(0x1_0000_0000UL, 0xffff_ffffu, 4, 0xffff_ffffUL)]
    [DataRow(0xffff_ffffUL, 0u, 4, 0x1_0000_0000UL)]
    [DataRow(300UL, 172u, 1, 428UL)]
    [DataRow(300UL, 173u, 1, 173UL)]
    [DataRow(400UL, 16u, 1, 528UL)]
    [DataRow(400UL, 17u, 1, 273UL)]
    [DataRow((1UL << 62) - 1, 0u, 4, (1UL << 62) - (1UL << 32))]
    public void The_nearest_number_is_taken_at_the_edges_of_a_window(
        ulong expected, uint truncated, int length, ulong packetNumber) =>
        Assert.AreEqual(packetNumber, PacketNumber.Decode(expected, truncated, length));

    [TestMethod]
    public void A_first_packet_needs_one_byte() => Assert.AreEqual(1, PacketNumber.LengthFor(0, 0));

    [TestMethod]
    public void A_number_is_completed_wherever_the_receiver_is_between_the_last_acknowledged_and_it() =>
        Gen.Select(Gen.ULong[0, (1UL << 62) - (1UL << 32)], Gen.ULong[0, 1UL << 29], Gen.ULong[0, 1UL << 29]).SampleSeeded(
            sample =>
            {
                (ulong first, ulong ahead, ulong behind) = sample;
                ulong packetNumber = first + ahead;
                int length = PacketNumber.LengthFor(packetNumber, first);
                Span<byte> bytes = stackalloc byte[4];
                var writer = new WireWriter(bytes);
                PacketNumber.Write(ref writer, packetNumber, length);
                uint truncated = 0;
                foreach (byte b in writer.Written)
                {
                    truncated = (truncated << 8) | b;
                }

                ulong expected = Math.Min(first + behind, packetNumber);
                return writer.Position == length && PacketNumber.Decode(expected, truncated, length) == packetNumber;
            });
}
