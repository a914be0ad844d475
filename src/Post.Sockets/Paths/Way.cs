using System.Net;

namespace Post.Sockets.Paths;

/// <summary>A pair of addresses that a path could go over.</summary>
/// <param name="Local">Our address; port 0 leaves the port to the system.</param>
/// <param name="Remote">The peer's address.</param>
/// <param name="Interface">The interface that has our address.</param>
/// <param name="IsMetered">Its traffic is paid for.</param>
internal sealed record Way(IPEndPoint Local, IPEndPoint Remote, string Interface, bool IsMetered)
{
    /// <summary>The ports of this machine do not tell ways apart.</summary>
    public WayKey Key => new(Local.Address, Remote);
}
