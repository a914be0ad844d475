using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Crypto;

/// <summary>Address-validation tokens, their single use, and stateless reset tokens.</summary>
[TestClass]
public sealed class TokenTests
{
    private const long Second = 1_000_000;
    private const long NewTokenLifetime = 3600 * Second;

    private static readonly NetworkAddress Client = NetworkAddress.FromIPv4(0x7f000001, 4433);
    private static readonly ConnectionId Original = new([1, 2, 3, 4, 5, 6, 7, 8]);
    private static readonly ConnectionId RetrySource = new([9, 9, 9]);

    [TestMethod]
    public void A_Retry_token_brings_back_what_was_sealed()
    {
        using TokenSealer sealer = CreateSealer();
        byte[] token = SealRetry(sealer, 5 * Second);
        Assert.IsTrue(TokenSealer.ClaimsRetry(token));
        Assert.IsTrue(sealer.TryOpen(token, Client, 6 * Second, out AddressToken opened));
        Assert.AreEqual(new AddressToken(AddressTokenKind.Retry, 5 * Second, Original, RetrySource), opened);
    }

    [TestMethod]
    public void A_Retry_token_is_bound_to_address_and_port_and_a_NEW_TOKEN_token_to_the_address()
    {
        using TokenSealer sealer = CreateSealer();
        byte[] retry = SealRetry(sealer, 0);
        byte[] newToken = SealNew(sealer, 0);
        Assert.IsFalse(TokenSealer.ClaimsRetry(newToken));
        NetworkAddress otherPort = Client.WithPort(1);
        NetworkAddress otherHost = NetworkAddress.FromIPv4(0x7f000002, 4433);
        Assert.IsFalse(sealer.TryOpen(retry, otherPort, 0, out _));
        Assert.IsFalse(sealer.TryOpen(retry, otherHost, 0, out _));
        Assert.IsTrue(sealer.TryOpen(newToken, otherPort, 0, out AddressToken opened));
        Assert.AreEqual(AddressTokenKind.NewToken, opened.Kind);
        Assert.IsFalse(sealer.TryOpen(newToken, otherHost, 0, out _));
    }

    [TestMethod]
    public void Tokens_live_as_long_as_they_may_across_changes_of_their_key()
    {
        using TokenSealer sealer = CreateSealer();
        foreach (long issued in new[] { 0, NewTokenLifetime - 1, (7 * NewTokenLifetime) + 5 })
        {
            byte[] token = SealNew(sealer, issued);
            Assert.IsTrue(sealer.TryOpen(token, Client, issued + NewTokenLifetime, out _), $"issued at {issued}");
            Assert.IsFalse(sealer.TryOpen(token, Client, issued + NewTokenLifetime + 1, out _), $"issued at {issued}");
            Assert.IsFalse(sealer.TryOpen(token, Client, issued + (256 * NewTokenLifetime), out _), "The epoch's byte wrapped.");
        }

        byte[] retry = SealRetry(sealer, 29 * Second);
        Assert.IsTrue(sealer.TryOpen(retry, Client, 59 * Second, out _));
        Assert.IsFalse(sealer.TryOpen(retry, Client, (59 * Second) + 1, out _));
    }

    [TestMethod]
    public void Every_changed_byte_and_every_other_length_is_refused()
    {
        using TokenSealer sealer = CreateSealer();
        foreach (byte[] token in new[] { SealRetry(sealer, 0), SealNew(sealer, 0) })
        {
            for (int i = 0; i < token.Length; i++)
            {
                token[i] ^= 3;
                Assert.IsFalse(sealer.TryOpen(token, Client, 0, out _), $"byte {i}");
                token[i] ^= 3;
                Assert.IsFalse(sealer.TryOpen(token.AsSpan(0, i), Client, 0, out _), $"length {i}");
            }

            Assert.IsFalse(sealer.TryOpen([.. token, 0], Client, 0, out _));
            Assert.IsFalse(sealer.TryOpen(new byte[2000], Client, 0, out _));
        }
    }

    [TestMethod]
    public void Servers_that_share_the_root_key_accept_each_others_tokens_and_others_do_not()
    {
        using TokenSealer one = CreateSealer();
        using TokenSealer two = CreateSealer();
        using TokenSealer stranger = CreateSealer(root: 8);
        byte[] token = SealRetry(one, 0);
        Assert.IsTrue(two.TryOpen(token, Client, 0, out _));
        Assert.IsFalse(stranger.TryOpen(token, Client, 0, out _));
    }

    [TestMethod]
    public void Two_tokens_for_the_same_client_share_nothing_a_watcher_could_link()
    {
        using TokenSealer sealer = CreateSealer();
        byte[] one = SealNew(sealer, 0);
        byte[] two = SealNew(sealer, 0);
        CollectionAssert.AreNotEqual(one[2..14], two[2..14]);
        CollectionAssert.AreNotEqual(one[14..], two[14..]);
    }

    [TestMethod]
    public void A_token_passes_the_filter_once_for_all_of_its_life()
    {
        using TokenSealer sealer = CreateSealer();
        var filter = new TokenReplayFilter(NewTokenLifetime);
        long issued = NewTokenLifetime / 2;
        byte[] token = SealNew(sealer, issued);
        Assert.IsTrue(filter.TryUse(token, issued));
        Assert.IsFalse(filter.TryUse(token, issued + 1));
        Assert.IsFalse(filter.TryUse(token, issued + (NewTokenLifetime / 2) + 1));
        Assert.IsFalse(filter.TryUse(token, issued + NewTokenLifetime));
    }

    [TestMethod]
    public void A_full_filter_refuses_and_recovers_when_its_generation_ends()
    {
        using TokenSealer sealer = CreateSealer();
        var filter = new TokenReplayFilter(NewTokenLifetime, capacity: 3);
        for (int i = 0; i < 5; i++)
        {
            Assert.AreEqual(i < 3, filter.TryUse(SealNew(sealer, 0), 0), $"token {i}");
        }

        Assert.IsTrue(filter.TryUse(SealNew(sealer, NewTokenLifetime), NewTokenLifetime));
    }

    [TestMethod]
    public void The_filters_memory_is_bounded_whatever_a_client_replays()
    {
        var filter = new TokenReplayFilter(NewTokenLifetime);
        byte[] token = new byte[40];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 4 * Limits.UsedTokensRemembered; i++)
        {
            BitConverter.TryWriteBytes(token.AsSpan(32), (uint)i * 0x9E3779B97F4A7C15UL);
            _ = filter.TryUse(token, 0);
        }

        Assert.IsLessThan(4 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void Reset_tokens_depend_on_the_key_and_on_the_whole_connection_id()
    {
        byte[] key = new byte[StatelessResetKey.KeyLength];
        using var one = new StatelessResetKey(key);
        using var same = new StatelessResetKey(key);
        using var other = new StatelessResetKey(new SeededRandomSource(1));
        byte[] token = Token(one, Original);
        CollectionAssert.AreEqual(token, Token(same, Original));
        CollectionAssert.AreNotEqual(token, Token(other, Original));
        CollectionAssert.AreNotEqual(token, Token(one, new ConnectionId([1, 2, 3, 4, 5, 6, 7, 9])));
        CollectionAssert.AreNotEqual(token, Token(one, new ConnectionId([1, 2, 3, 4, 5, 6, 7])));

        static byte[] Token(StatelessResetKey key, ConnectionId id)
        {
            byte[] token = new byte[StatelessResetKey.TokenLength];
            key.WriteToken(id, token);
            return token;
        }
    }

    private static TokenSealer CreateSealer(byte root = 7)
    {
        byte[] rootKey = new byte[TokenSealer.RootKeyLength];
        rootKey[0] = root;
        return new TokenSealer(CryptoProviderFactory.Default, SystemRandomSource.Instance, rootKey, NewTokenLifetime);
    }

    private static byte[] SealRetry(TokenSealer sealer, long now)
    {
        byte[] buffer = new byte[TokenSealer.MaxTokenLength];
        return buffer[..sealer.SealRetry(Client, Original, RetrySource, now, buffer)];
    }

    private static byte[] SealNew(TokenSealer sealer, long now)
    {
        byte[] buffer = new byte[TokenSealer.MaxTokenLength];
        return buffer[..sealer.SealNewToken(Client, now, buffer)];
    }
}
