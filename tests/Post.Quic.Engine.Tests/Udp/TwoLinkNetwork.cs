using System.Net;
using System.Runtime.InteropServices;
using Post.Tests;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>
/// A client and a server in two network namespaces with two links between them, so that addresses, routes and an MTU of 1500 are real.
/// Sockets stay in the namespace of the thread that opened them.
/// </summary>
internal sealed partial class TwoLinkNetwork
{
    public const string ServerHost = "10.77.0.1";

    private readonly string _there;

    private TwoLinkNetwork(string there) => _there = there;

    /// <summary>Runs the test on a thread in the client's namespace. Skipped where that is not permitted.</summary>
    /// <typeparam name="T">What serves.</typeparam>
    /// <param name="serve">Opens what serves, in the server's namespace.</param>
    /// <param name="test">The test.</param>
    /// <param name="shapes">What each link is to do to packets, both ways, in the words of tc; null: nothing.</param>
    public static void Run<T>(Func<Task<T>> serve, Action<T, TwoLinkNetwork> test, params string?[] shapes)
        where T : IAsyncDisposable =>
        PrivateNetwork.Run(["ip link set lo up", $"ip addr add {ServerHost}/32 dev lo"], () =>
        {
            T server = serve().GetAwaiter().GetResult();
            try
            {
                string there = $"nsenter --net=/proc/{GetThreadId()}/ns/net";
                PrivateNetwork.Run(Links(GetThreadId(), there, shapes), () => test(server, new TwoLinkNetwork(there)));
            }
            finally
            {
                server.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        });

    /// <summary>The client's address on a link.</summary>
    public static IPEndPoint ClientOn(int link) => new(IPAddress.Parse($"10.77.{link}.2"), 0);

    /// <summary>A link of that rate, in front of which packets wait so long at most.</summary>
    public static string Shape(int megabits, int queueMilliseconds) => $"tbf rate {megabits}mbit burst 4kb latency {queueMilliseconds}ms";

    /// <summary>From now on the link loses all that it is given, both ways, and tells nobody. From the thread of the test.</summary>
    public void Cut(int link)
    {
        // What is sent to a hardware address that nobody has is dropped by who receives it.
        const string Nobody = "lladdr 02:00:00:00:00:99 nud permanent";
        SystemCommand.Run($"ip neigh replace 10.77.{link}.1 {Nobody} dev c{link}");
        SystemCommand.Run($"{_there} ip neigh replace 10.77.{link}.2 {Nobody} dev s{link}");
    }

    /// <summary>Two links into the server's namespace, and a route over each of them, chosen by the source address.</summary>
    private static string[] Links(int serverThread, string there, string?[] shapes) =>
        [
            "ip link set lo up",
            .. Enumerable.Range(1, 2).SelectMany(link => new[]
            {
                $"ip link add c{link} mtu 1500 type veth peer name s{link} mtu 1500 netns {serverThread}",
                $"ip addr add 10.77.{link}.2/24 dev c{link}",
                $"ip link set c{link} up",
                $"{there} ip addr add 10.77.{link}.1/24 dev s{link}",
                $"{there} ip link set s{link} up",
                $"ip route add {ServerHost}/32 via 10.77.{link}.1 dev c{link} metric {link}",
                $"ip route add {ServerHost}/32 via 10.77.{link}.1 dev c{link} table {100 + link}",
                $"ip rule add from 10.77.{link}.2 table {100 + link}",
            }),
            .. Enumerable.Range(1, shapes.Length).Where(link => shapes[link - 1] is not null).SelectMany(link => new[]
            {
                $"tc qdisc add dev c{link} root {shapes[link - 1]}",
                $"{there} tc qdisc add dev s{link} root {shapes[link - 1]}",
            }),
        ];

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThreadId();
}
