using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Crypto;

/// <summary>The two implementations of the AEAD seam: against each other, against forgers, and against the heap.</summary>
[TestClass]
public sealed class AeadTests
{
    [TestMethod]
    [DataRow(0x1301)]
    [DataRow(0x1302)]
    [DataRow(0x1303)]
    public void Both_implementations_agree_over_all_lengths_of_a_packet(int suiteCode)
    {
        var suite = (CipherSuite)suiteCode;
        int seed = Random.Shared.Next();
        var random = new SeededRandomSource(seed);
        CryptoProvider lib = CryptoProviders.Get(CryptoProviders.LibCrypto);
        CryptoProvider platform = CryptoProviders.Get(CryptoProviders.Platform);
        if (suite == CipherSuite.ChaCha20Poly1305Sha256 && !ChaCha20Poly1305.IsSupported)
        {
            Assert.Inconclusive("The platform has no ChaCha20-Poly1305 to compare with.");
        }

        byte[] key = new byte[suite.KeyLength()];
        random.Fill(key);
        using Aead platformSend = platform.CreateAead(suite, KeyDirection.Send, key);
        using Aead platformReceive = platform.CreateAead(suite, KeyDirection.Receive, key);
        using Aead libSend = lib.CreateAead(suite, KeyDirection.Send, key);
        using Aead libReceive = lib.CreateAead(suite, KeyDirection.Receive, key);
        byte[] nonce = new byte[Aead.NonceLength];
        byte[] tagOfPlatform = new byte[Aead.TagLength];
        byte[] tagOfLib = new byte[Aead.TagLength];

        // 4,000 and 9,000 bytes take the path for jumbo packets.
        foreach (int length in Enumerable.Range(0, 1501).Append(2048).Append(2049).Append(4000).Append(9000))
        {
            byte[] plain = new byte[length];
            byte[] header = new byte[random.NextInt32(60)];
            random.Fill(plain);
            random.Fill(header);
            random.Fill(nonce);
            byte[] ofPlatform = plain.ToArray();
            byte[] ofLib = plain.ToArray();
            platformSend.Seal(nonce, header, ofPlatform, tagOfPlatform);
            libSend.Seal(nonce, header, ofLib, tagOfLib);
            Assert.IsTrue(ofPlatform.AsSpan().SequenceEqual(ofLib), $"ciphertext of {length} bytes, seed {seed}");
            Assert.IsTrue(tagOfPlatform.AsSpan().SequenceEqual(tagOfLib), $"tag of {length} bytes, seed {seed}");
            Assert.IsTrue(libReceive.TryOpen(nonce, header, ofPlatform, tagOfPlatform), $"{length} bytes, seed {seed}");
            Assert.IsTrue(platformReceive.TryOpen(nonce, header, ofLib, tagOfLib), $"{length} bytes, seed {seed}");
            Assert.IsTrue(ofPlatform.AsSpan().SequenceEqual(plain), $"plaintext of {length} bytes, seed {seed}");
            Assert.IsTrue(ofLib.AsSpan().SequenceEqual(plain), $"plaintext of {length} bytes, seed {seed}");
        }
    }

    [TestMethod]
    [DataRow(CryptoProviders.Platform, 0x1301)]
    [DataRow(CryptoProviders.Platform, 0x1302)]
    [DataRow(CryptoProviders.Platform, 0x1303)]
    [DataRow(CryptoProviders.LibCrypto, 0x1301)]
    [DataRow(CryptoProviders.LibCrypto, 0x1302)]
    [DataRow(CryptoProviders.LibCrypto, 0x1303)]
    public void Tampering_with_any_byte_is_seen_and_the_key_still_serves(string kind, int suiteCode)
    {
        var suite = (CipherSuite)suiteCode;
        CryptoProvider provider = CryptoProviders.Get(kind);
        byte[] key = new byte[suite.KeyLength()];
        byte[] nonce = new byte[Aead.NonceLength];
        byte[] header = new byte[13];
        byte[] data = new byte[37];
        byte[] tag = new byte[Aead.TagLength];
        using Aead send = provider.CreateAead(suite, KeyDirection.Send, key);
        using Aead receive = provider.CreateAead(suite, KeyDirection.Receive, key);
        send.Seal(nonce, header, data, tag);

        foreach (byte[] part in new[] { nonce, header, data, tag })
        {
            for (int i = 0; i < part.Length; i++)
            {
                part[i] ^= 0x40;
                byte[] tagBefore = tag.ToArray();
                Assert.IsFalse(receive.TryOpen(nonce, header, data.ToArray(), tag), $"byte {i} of {part.Length}");
                CollectionAssert.AreEqual(tagBefore, tag, "A failed packet's tag may be a stateless reset token.");
                part[i] ^= 0x40;
            }
        }

        Assert.IsTrue(receive.TryOpen(nonce, header, data, tag));
        Assert.IsFalse(data.AsSpan().ContainsAnyExcept((byte)0));
    }

    [TestMethod]
    [DataRow(0x1301)]
    [DataRow(0x1302)]
    public void Both_implementations_make_the_same_header_masks(int suiteCode)
    {
        var suite = (CipherSuite)suiteCode;
        int seed = Random.Shared.Next();
        var random = new SeededRandomSource(seed);
        byte[] key = new byte[suite.KeyLength()];
        random.Fill(key);
        using HeaderProtection platform = CryptoProviders.Get(CryptoProviders.Platform).CreateHeaderProtection(suite, key);
        using HeaderProtection lib = CryptoProviders.Get(CryptoProviders.LibCrypto).CreateHeaderProtection(suite, key);
        byte[] sample = new byte[HeaderProtection.SampleLength];
        for (int i = 0; i < 1000; i++)
        {
            random.Fill(sample);
            Assert.AreEqual(platform.Mask(sample), lib.Mask(sample), $"seed {seed}");
        }
    }

    [TestMethod]
    public void The_platform_offers_no_suite_whose_header_protection_it_lacks()
    {
        CryptoProvider platform = CryptoProviders.Get(CryptoProviders.Platform);
        Assert.IsTrue(platform.IsSupported(CipherSuite.Aes128GcmSha256));
        Assert.IsTrue(platform.IsSupported(CipherSuite.Aes256GcmSha384));
        Assert.IsFalse(platform.IsSupported(CipherSuite.ChaCha20Poly1305Sha256));
        Assert.IsFalse(platform.IsSupported(CipherSuite.None));
        Assert.ThrowsExactly<PlatformNotSupportedException>(
            () => platform.CreateHeaderProtection(CipherSuite.ChaCha20Poly1305Sha256, new byte[32]));
    }

    [TestMethod]
    public void Libcrypto_names_its_version_and_serves_where_nothing_else_is_asked_for()
    {
        CryptoProvider lib = CryptoProviders.Get(CryptoProviders.LibCrypto);
        StringAssert.StartsWith(lib.Name, "libcrypto (OpenSSL ");
        Assert.AreSame(lib, CryptoProviderFactory.Default);
        Assert.IsTrue(lib.IsSupported(CipherSuite.ChaCha20Poly1305Sha256));
    }

    [TestMethod]
    public void A_disposed_key_refuses_to_work_instead_of_reaching_into_freed_memory()
    {
        CryptoProvider lib = CryptoProviders.Get(CryptoProviders.LibCrypto);
        Aead aead = lib.CreateAead(CipherSuite.Aes128GcmSha256, KeyDirection.Send, new byte[16]);
        aead.Dispose();
        aead.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => aead.Seal(new byte[12], [], [], new byte[16]));
    }

    [TestMethod]
    [DataRow(CryptoProviders.Platform, 0x1301)]
    [DataRow(CryptoProviders.LibCrypto, 0x1301)]
    [DataRow(CryptoProviders.LibCrypto, 0x1302)]
    [DataRow(CryptoProviders.LibCrypto, 0x1303)]
    public void Protecting_and_opening_a_packet_allocates_nothing(string kind, int suiteCode)
    {
        var suite = (CipherSuite)suiteCode;
        CryptoProvider provider = CryptoProviders.Get(kind);
        byte[] secret = new byte[suite.HashLength()];
        using var send = PacketKeys.Create(provider, QuicVersion.Version1, suite, KeyDirection.Send, secret);
        using var receive = PacketKeys.Create(provider, QuicVersion.Version1, suite, KeyDirection.Receive, secret);
        byte[] packet = new byte[1200];
        RoundTrip(0, 10);
        long before = GC.GetAllocatedBytesForCurrentThread();
        RoundTrip(10, 1000);
        Assert.AreEqual(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void RoundTrip(ulong from, ulong to)
        {
            for (ulong number = from; number < to; number++)
            {
                packet[0] = 0x43;
                send.Protect(packet, 9, 4, number);
                Assert.IsTrue(receive.TryUnprotectHeader(packet, 9, out int length, out _));
                Assert.IsTrue(receive.TryOpen(packet, 9 + length, number));
            }
        }
    }
}
