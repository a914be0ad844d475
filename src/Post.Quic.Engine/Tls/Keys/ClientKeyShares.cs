using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>The shares that a client sends, and the private keys behind them.</summary>
internal sealed class ClientKeyShares : IDisposable
{
    private readonly List<KeyShareOffer> _offers = [];

    private ClientKeyShares()
    {
    }

    public IReadOnlyList<KeyShareOffer> Offers => _offers;

    /// <summary>
    /// A share of the first group there is and, where two are asked for, of the next that costs next to nothing: a guess
    /// that fails costs a round trip, a second share some bytes and 15 to 40 us. P-384 costs half a millisecond, a
    /// second hybrid a packet: those are never guessed at.
    /// </summary>
    public static ClientKeyShares Create(CryptoProvider provider, IReadOnlyList<NamedGroup> groups, int count)
    {
        var shares = new ClientKeyShares();
        foreach (NamedGroup group in groups)
        {
            if ((shares._offers.Count == 0 || group is NamedGroup.X25519 or NamedGroup.Secp256r1) &&
                KeyExchange.Find(provider, group) is { } exchange)
            {
                shares._offers.Add(exchange.Offer());
                if (shares._offers.Count >= count)
                {
                    break;
                }
            }
        }

        return shares;
    }

    public KeyShareOffer? Find(NamedGroup group) => _offers.Find(offer => offer.Group == group);

    /// <summary>After a HelloRetryRequest: the one share that was asked for.</summary>
    public void ReplaceBy(KeyExchange exchange)
    {
        Dispose();
        _offers.Add(exchange.Offer());
    }

    public void Dispose()
    {
        foreach (KeyShareOffer offer in _offers)
        {
            offer.Dispose();
        }

        _offers.Clear();
    }
}
