namespace Post.Sockets.Protocol;

/// <summary>What the peer said in its HELLO; before that, what is safe to assume.</summary>
internal sealed class PeerTerms
{
    public HelloFrame Hello { get; set; } = new() { ReceiveBudget = 1024 * 1024 };

    public bool Has(HelloFeatures feature) => (Hello.Features & feature) != 0;
}
