using CsCheck;
using Post.Quic.Engine.Wire;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Wire;

[TestClass]
public sealed class VarIntTests
{
    /// <summary>RFC 9000 appendix A.1.</summary>
    [TestMethod]
    [DataRow("c2197c5eff14e88c", 151_288_809_941_952_652UL)]
    [DataRow("9d7f3e7d", 494_878_333UL)]
    [DataRow("7bbd", 15_293UL)]
    [DataRow("25", 37UL)]
    public void The_examples_of_the_RFC_come_out(string hex, ulong expected)
    {
        byte[] bytes = Convert.FromHexString(hex);

        Assert.IsTrue(VarInt.TryRead(bytes, out ulong value, out int consumed));
        Assert.AreEqual(expected, value);
        Assert.AreEqual(bytes.Length, consumed);
        byte[] written = new byte[8];
        Assert.AreEqual(bytes.Length, VarInt.Write(written, expected));
        CollectionAssert.AreEqual(bytes, written[..bytes.Length]);
    }

    [TestMethod]
    public void A_longer_form_than_needed_reads_as_the_same_value()
    {
        Assert.IsTrue(VarInt.TryRead([0x40, 0x25], out ulong value, out int consumed));
        Assert.AreEqual(37UL, value);
        Assert.AreEqual(2, consumed);
    }

    [TestMethod]
    [DataRow(63UL, 1)]
    [DataRow(64UL, 2)]
    [DataRow(16383UL, 2)]
    [DataRow(16384UL, 4)]
    [DataRow((1UL << 30) - 1, 4)]
    [DataRow(1UL << 30, 8)]
    [DataRow((1UL << 62) - 1, 8)]
    public void The_shortest_form_changes_at_the_edges(ulong value, int length) =>
        Assert.AreEqual(length, VarInt.Length(value));

    [TestMethod]
    public void Every_value_reads_back_in_every_length_that_holds_it() =>
        Gen.ULong[0, VarInt.MaxValue].SampleSeeded(value =>
        {
            byte[] buffer = new byte[8];
            for (int length = VarInt.Length(value); length <= 8; length *= 2)
            {
                VarInt.Write(buffer, value, length);
                if (!VarInt.TryRead(buffer.AsSpan(0, length), out ulong read, out int consumed)
                    || read != value
                    || consumed != length
                    || VarInt.TryRead(buffer.AsSpan(0, length - 1), out _, out _))
                {
                    return false;
                }
            }

            return true;
        });

    [TestMethod]
    public void A_value_of_63_bits_is_a_bug_of_ours() =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => VarInt.Write(new byte[8], 1UL << 62));
}
