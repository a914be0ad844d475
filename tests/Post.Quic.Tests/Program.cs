using Post.Quic.Tests.Roaming;
using Post.Quic.Tests.Stalls;

namespace Post.Quic.Tests;

/// <summary>Runs the tests; or, in a process that one of them starts, the part that it was started for.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (ReceiverProcess.IsOne)
        {
            await ReceiverProcess.RunAsync();
            return 0;
        }

        if (RoamingProcess.IsOne)
        {
            await RoamingProcess.RunAsync();
            return 0;
        }

        return await MicrosoftTestingPlatformApplication.RunAsync(args);
    }
}
