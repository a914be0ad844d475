using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Managed;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>What flows with a call, such as the scope of a log, belongs to it, and not to threads, timers and loops that outlive it.</summary>
[TestClass]
public sealed class FlowTests : EndToEndTests
{
    private static readonly AsyncLocal<object?> Flowing = new();

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Nothing_of_what_flows_with_a_call_is_kept_by_what_it_opens()
    {
        using X509Certificate2 identity = Identity.CreateSelfSigned("server");
        await using var transport = new ManagedTransport();
        (Listener listener, Association client, Association server, WeakReference flowed) = await OpenAsync(transport, identity);
        await using (listener)
        await using (client)
        await using (server)
        {
            // Both ends live and have timers, loops and handlers; whatever still held the value would keep it alive.
            for (int i = 0; i < 200 && flowed.IsAlive; i++)
            {
                client.Send(Bytes(100));
                Assert.HasCount(100, await TakeAsync(server));
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.IsFalse(flowed.IsAlive, "Something that lives as long as the association keeps the flow of the call that made it.");
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_handler_does_not_run_in_the_flow_of_whoever_opened_the_connection()
    {
        using X509Certificate2 identity = Identity.CreateSelfSigned("server");
        await using var transport = new ManagedTransport();
        (Listener listener, Association client, Association server, _) = await OpenAsync(transport, identity);
        await using (listener)
        await using (client)
        await using (server)
        {
            var seen = new TaskCompletionSource<(object?, Activity?)>(TaskCreationOptions.RunContinuationsAsynchronously);
            server.Register<Received>(_ => seen.TrySetResult((Flowing.Value, Activity.Current)));
            client.Send(Bytes(1));

            (object? value, Activity? activity) = await seen.Task.WaitAsync(Cancel);
            Assert.IsNull(value);
            Assert.AreNotEqual("of the caller", activity?.OperationName);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Task<(Listener Listener, Association Client, Association Server, WeakReference Flowed)> OpenAsync(
        PostTransport transport, X509Certificate2 identity) => Task.Run(
        async () =>
        {
            object value = new();
            Flowing.Value = value;
            using Activity activity = new Activity("of the caller").Start();
            Listener listener = await Listener.ListenAsync(transport, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), cancellationToken: Cancel);
            ValueTask<Association?> accepting = listener.AcceptAsync(Cancel);
            Association client = await Association.AssociateAsync(
                transport, Local.Anonymous, Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity)), cancellationToken: Cancel);
            return (listener, client, (await accepting)!, new WeakReference(value));
        },
        Cancel);
}
