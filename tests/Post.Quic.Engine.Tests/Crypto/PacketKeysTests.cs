using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Crypto;

[TestClass]
public sealed class PacketKeysTests
{
    private const CipherSuite Suite = CipherSuite.Aes128GcmSha256;

    [TestMethod]
    [DataRow((byte)0xc3, 4)]
    [DataRow((byte)0xe2, 3)]
    [DataRow((byte)0x41, 2)]
    [DataRow((byte)0x40, 1)]
    public void A_packet_survives_protection_for_every_header_form_and_number_length(byte firstByte, int numberLength)
    {
        (PacketKeys send, PacketKeys receive) = CreatePair();
        byte[] plain = new byte[60];
        Random.Shared.NextBytes(plain);
        plain[0] = firstByte;
        const ulong Number = 0x1234_5678_9abc;
        for (int i = 0; i < numberLength; i++)
        {
            plain[7 + i] = (byte)(Number >> (8 * (numberLength - 1 - i)));
        }

        byte[] packet = plain.ToArray();
        send.Protect(packet, 7, numberLength, Number);
        Assert.AreEqual(firstByte & 0xe0, packet[0] & 0xe0, "The form bit and its neighbours are never hidden.");
        CollectionAssert.AreEqual(plain[1..7], packet[1..7], "What stands before the packet number stays in the clear.");

        Assert.IsTrue(receive.TryUnprotectHeader(packet, 7, out int length, out uint truncated));
        Assert.AreEqual(numberLength, length);
        Assert.AreEqual((uint)(Number & ((1UL << (8 * numberLength)) - 1)), truncated);
        Assert.IsTrue(receive.TryOpen(packet, 7 + length, Number));
        CollectionAssert.AreEqual(plain[..^PacketKeys.Overhead], packet[..^PacketKeys.Overhead]);
    }

    [TestMethod]
    public void A_packet_too_short_to_sample_is_refused_and_left_alone()
    {
        (_, PacketKeys receive) = CreatePair();
        byte[] packet = new byte[9 + 4 + 16 - 1];
        Assert.IsFalse(receive.TryUnprotectHeader(packet, 9, out _, out _));
        Assert.IsFalse(packet.AsSpan().ContainsAnyExcept((byte)0));
        Assert.IsFalse(receive.TryOpen(packet.AsSpan(0, 20), 13, 1), "No room for a tag.");
    }

    [TestMethod]
    public void The_same_number_on_another_path_has_another_nonce()
    {
        (PacketKeys send, PacketKeys receive) = CreatePair();
        byte[] onPath0 = new byte[60];
        byte[] onPath1 = new byte[60];
        onPath0[0] = onPath1[0] = 0x43;
        send.Protect(onPath0, 1, 4, 7, pathId: 0);
        send.Protect(onPath1, 1, 4, 7, pathId: 1);
        CollectionAssert.AreNotEqual(onPath0, onPath1);

        Assert.IsTrue(receive.TryUnprotectHeader(onPath1, 1, out int length, out _));
        Assert.IsFalse(receive.TryOpen(onPath1.ToArray(), 1 + length, 7, pathId: 0));
        Assert.IsTrue(receive.TryOpen(onPath1, 1 + length, 7, pathId: 1));
    }

    [TestMethod]
    public void The_path_id_fills_the_upper_32_bits_of_the_nonce()
    {
        // draft-ietf-quic-multipath: path id, two zero bits, packet number. So the nonce that the AEAD sees is known.
        var provider = new RecordingProvider();
        var keys = PacketKeys.Create(provider, QuicVersion.Version1, Suite, KeyDirection.Send, new byte[32]);
        byte[] packet = new byte[60];
        keys.Protect(packet, 1, 1, 0);
        byte[] iv = provider.LastNonce;
        keys.Protect(packet, 1, 1, 0x2a_0000_0001, pathId: 0x01020304);
        byte[] difference = [.. iv.Zip(provider.LastNonce, (a, b) => (byte)(a ^ b))];
        Assert.AreEqual("010203040000002a00000001", Convert.ToHexStringLower(difference));
    }

    [TestMethod]
    public void The_nonce_is_that_of_the_example_in_the_draft()
    {
        // draft-ietf-quic-multipath section 2.4.
        var provider = new RecordingProvider();
        byte[] iv = Convert.FromHexString("6b26114b9cba2b63a9e8dd4f");
        using var protection = new PacketProtection(provider.CreateAead(Suite, KeyDirection.Send, []), iv);

        protection.Seal(new byte[60], 5, packetNumber: 54321, pathId: 3);

        Assert.AreEqual("6b2611489cba2b63a9e8097e", Convert.ToHexStringLower(provider.LastNonce));
    }

    private static (PacketKeys Send, PacketKeys Receive) CreatePair()
    {
        byte[] secret = new byte[32];
        secret[0] = 5;
        return (
            PacketKeys.Create(CryptoProviderFactory.Default, QuicVersion.Version1, Suite, KeyDirection.Send, secret),
            PacketKeys.Create(CryptoProviderFactory.Default, QuicVersion.Version1, Suite, KeyDirection.Receive, secret));
    }

    private sealed class RecordingProvider : CryptoProvider
    {
        public byte[] LastNonce { get; private set; } = [];

        public override string Name => "recording";

        public override bool IsSupported(CipherSuite suite) => true;

        public override Aead CreateAead(CipherSuite suite, KeyDirection direction, ReadOnlySpan<byte> key) =>
            new RecordingAead(this);

        public override HeaderProtection CreateHeaderProtection(CipherSuite suite, ReadOnlySpan<byte> key) =>
            CryptoProviderFactory.Default.CreateHeaderProtection(suite, key);

        public override KeyAgreement? FindKeyAgreement(NamedGroup group) => null;

        public override SigningAlgorithm? FindSigning(KeyAlgorithm algorithm) => null;

        private sealed class RecordingAead(RecordingProvider owner) : Aead
        {
            public override void Seal(
                ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, Span<byte> tag) =>
                owner.LastNonce = nonce.ToArray();

            public override bool TryOpen(
                ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, ReadOnlySpan<byte> tag) => false;

            protected override void Dispose(bool disposing)
            {
            }
        }
    }
}
