using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Post.Quic.Tests.Documents;

/// <summary>The example in the README is a whole program for whoever adds the package to a new project.</summary>
[TestClass]
public sealed class ReadmeTests
{
    private const string Begin = "<!-- example -->\n```csharp\n";

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [Timeout(600_000, CooperativeCancellation = true)]
    public async Task The_example_compiles_as_pasted_and_runs_in_a_new_project_with_the_package()
    {
        string repository = Repository();
        string directory = Directory.CreateTempSubdirectory("post-readme-").FullName;
        try
        {
            // What was built with these tests, packed; all else comes from what restoring them has left on this machine, and nothing is downloaded.
            string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
            await RunAsync(repository, "pack", "Post.Quic.sln", "--no-build", "-c", configuration, "-o", Path.Combine(directory, "packages"));
            string version = Path.GetFileNameWithoutExtension(Directory.GetFiles(Path.Combine(directory, "packages"), "Post.Quic.MsQuic.*.nupkg").Single())["Post.Quic.MsQuic.".Length..];
            string restored = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
                ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
            await File.WriteAllTextAsync(
                Path.Combine(directory, "nuget.config"),
                $"""
                <configuration>
                  <config><add key="globalPackagesFolder" value="restored" /></config>
                  <packageSources><clear /><add key="packed" value="packages" /></packageSources>
                  <fallbackPackageFolders><clear /><add key="restored" value="{restored}" /></fallbackPackageFolders>
                </configuration>
                """,
                TestContext.CancellationToken);
            string project = Path.Combine(directory, "Example");
            await RunAsync(directory, "new", "console", "--name", "Example", "--framework", "net10.0", "--no-restore");
            string projectFile = Path.Combine(project, "Example.csproj");
            string text = await File.ReadAllTextAsync(projectFile, TestContext.CancellationToken);
            await File.WriteAllTextAsync(
                projectFile,
                text.Replace(
                    "</Project>",
                    $"<ItemGroup><PackageReference Include=\"Post.Quic\" Version=\"[{version}]\" /></ItemGroup></Project>",
                    StringComparison.Ordinal),
                TestContext.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), Example(repository), TestContext.CancellationToken);

            string printed = await RunAsync(project, "run", "--property:TreatWarningsAsErrors=true");

            Assert.Contains("urgent", printed);
            Assert.Contains("Acked (Delivered)", printed);
            Assert.IsTrue(File.Exists(Path.Combine(directory, "restored", "post.sockets", version, "lib", "net10.0", "Post.Sockets.dll")), "It ran on other packages.");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Example(string repository)
    {
        string readme = File.ReadAllText(Path.Combine(repository, "README.md")).ReplaceLineEndings("\n");
        int begin = readme.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        return readme[begin..readme.IndexOf("```", begin, StringComparison.Ordinal)];
    }

    private static string Repository([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));

    private async Task<string> RunAsync(string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.CancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(TestContext.CancellationToken);
            await process.WaitForExitAsync(TestContext.CancellationToken);
            Assert.AreEqual(0, process.ExitCode, $"dotnet {string.Join(' ', arguments)}\n{output}\n{await errors}");
            return output;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
