using System.Reflection;

namespace Post.Quic.Testing.Mutations;

/// <summary>
/// How many spoiled inputs the suite runs. What a test is to run stands here and nowhere else; that it did,
/// <see cref="MutationRun"/> sees to.
/// </summary>
internal static class MutationBudget
{
    /// <summary>Over the packets, frames, transport parameters and TLS messages of QUIC.</summary>
    public const int Promised = 1_000_000;

    public static int InputsOfOneTest(MutationRoom room) => room switch
    {
        MutationRoom.Frames => 130_000,
        MutationRoom.TlsMessages => 150_000,
        MutationRoom.SealedFrames or MutationRoom.RemoteTickets => 50_000,
        MutationRoom.ClientHellos => 60_000,
        MutationRoom.Certificates or MutationRoom.RawKeys => 6_000,
        MutationRoom.Handshakes => 400,
        _ => 100_000,
    };

    /// <summary>The inputs that the tests of an assembly run, by room: those of each data row of each marked test.</summary>
    public static Dictionary<MutationRoom, int> Of(Assembly tests)
    {
        var inputs = new Dictionary<MutationRoom, int>();
        foreach (MethodInfo test in tests.GetTypes().SelectMany(static type => type.GetMethods()))
        {
            if (test.GetCustomAttribute<MutatesAttribute>() is { } mark && test.IsDefined(typeof(TestMethodAttribute)))
            {
                int rows = Math.Max(1, test.GetCustomAttributes<DataRowAttribute>().Count());
                inputs[mark.Room] = inputs.GetValueOrDefault(mark.Room) + (rows * InputsOfOneTest(mark.Room));
            }
        }

        return inputs;
    }
}
